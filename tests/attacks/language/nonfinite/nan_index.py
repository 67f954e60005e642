# refused: line 3, column 25: nan is not a whole number; write it out, such as 0, 1 or -1
def compute_reward(joint_angles, pitch):
    p = joint_angles[:, xp.inf - xp.inf]
    return pitch, {'p': pitch}
