# refused: line 3, column 9: arrays and dicts cannot be changed in place; build a new one: xp.where(
def compute_reward(pitch, joint_angles):
    for joint_angles[0] in range(3):
        p = pitch
    return pitch, {'p': pitch}
