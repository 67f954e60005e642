# refused: line 3, column 5: arrays and dicts cannot be changed in place; build a new one: xp.where(
def compute_reward(pitch, joint_angles):
    joint_angles[:] = 0.0
    return pitch, {'p': pitch}
