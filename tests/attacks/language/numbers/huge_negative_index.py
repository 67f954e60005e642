# refused: line 3, column 9: the index -999999999 is out of range for 3 entries; write 0 to 2
def compute_reward(joint_angles, pitch):
    p = joint_angles[:, -999999999]
    return pitch, {'p': pitch}
