# line 3, column 19: the slice of 3 entries is empty; count from 0 to 3
def compute_reward(joint_angles):
    bend = xp.sum(joint_angles[:, 3:], axis=-1)
    return bend, {"bend": bend}
