# line 3, column 13: values have no attribute 'shape'; write the number out: shapes are fixed
def compute_reward(joint_angles):
    count = joint_angles.shape[1]
    bend = xp.sum(joint_angles, axis=-1) / count
    return bend, {"bend": bend}
