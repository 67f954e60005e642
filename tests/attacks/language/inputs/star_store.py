# refused: line 3, column 5: '*' before a value is not allowed; write the items out
def compute_reward(pitch, joint_angles):
    *joint_angles[:], p = (1.0, 2.0)
    return pitch, {'p': pitch}
