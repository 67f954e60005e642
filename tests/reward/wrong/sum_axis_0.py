# line 3, column 38: xp.sum along axis 0 of (N, 3) mixes the rows; write axis=-1
def compute_reward(joint_angles):
    bend = xp.sum(joint_angles, axis=0)
    return bend, {"bend": bend}
