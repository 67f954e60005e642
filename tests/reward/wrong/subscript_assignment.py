# line 3, column 5: arrays and dicts cannot be changed in place; build a new one:
def compute_reward(joint_angles):
    joint_angles[:, 0] = 0.0
    bend = xp.sum(joint_angles, axis=-1)
    return bend, {"bend": bend}
