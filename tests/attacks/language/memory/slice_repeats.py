# harmless: a slice ends where its array ends
def compute_reward(joint_angles, pitch):
    p = joint_angles[:, 0:1000000000]
    q = xp.sum(p, axis=-1)
    return q, {'q': q}
