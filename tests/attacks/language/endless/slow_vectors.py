# harmless: the probe refuses what takes too long: three thousand cross products
# probe: too-slow
def compute_reward(joint_angles, pitch):
    q = joint_angles
    for i in range(990):
        q = xp.linalg.cross(q, joint_angles)
        q = xp.linalg.cross(joint_angles, q)
        q = xp.tanh(xp.linalg.cross(q, joint_angles))
    p = q[:, 0]
    return p, {'p': p}
