# refused: line 3, column 16: values have no attribute 'T'; only xp.NAME is allowed
def compute_reward(joint_angles, pitch):
    p = xp.sum(joint_angles.T, axis=-1)
    return pitch, {'p': pitch}
