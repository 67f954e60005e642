# line 6, column 9: an array of shape (N, 3, 9450) is too large; keep to 4 axes and 4,096 entries
def compute_reward(joint_angles):
    a = joint_angles[:, :, None] * joint_angles[:, None, :]
    b = xp.concat((a, a, a, a, a, a, a, a, a, a, a, a, a, a), axis=-1)
    c = xp.concat((b, b, b, b, b, b, b, b, b, b, b, b, b, b, b), axis=-1)
    d = xp.concat((c, c, c, c, c, c, c, c, c, c, c, c, c, c, c), axis=-1)
    run = xp.sum(xp.sum(d, axis=-1), axis=-1)
    return run, {"run": run}
