# harmless: arrays of literals are kept between calls, and nothing can change them
def compute_reward(joint_angles):
    p = xp.asarray((1.0, 2.0, 3.0))
    p += 1.0
    q = xp.asarray((1.0, 2.0, 3.0))
    r = xp.sum(joint_angles * q, axis=-1)
    return r, {'r': r}
