def compute_reward(joint_angles, action):
    a = xp.sum(joint_angles, axis=-1) + xp.mean(action, -1) + xp.prod(action, axis=1)
    b = xp.var(action, axis=-1, correction=1) + xp.min(joint_angles, axis=-1)
    centred = action - xp.mean(action, axis=-1, keepdims=True)
    c = xp.linalg.vector_norm(centred, axis=-1, keepdims=True)[:, 0]
    d = xp.sum(xp.asarray((1.0, 2.0, 3.0)), axis=0)
    return a + b, {"a": a, "b": b, "c": c, "d": d}
