def compute_reward(forward_velocity, pitch):
    a = xp.add(forward_velocity, xp.multiply(2.0, pitch))
    b = xp.subtract(a, xp.divide(pitch, 3.0))
    c = xp.remainder(b, 0.7) + xp.floor_divide(b, 0.7) + b % 0.3 + b // 0.3
    d = xp.pow(pitch, 3) + pitch ** -2.0 * 0.0 + xp.abs(pitch) ** 0.5
    same = xp.equal(a, a) | xp.not_equal(a, b)
    low = xp.logical_and(xp.less(a, b), xp.logical_not(xp.greater(a, 1.0)))
    odd = xp.logical_xor(low, xp.less_equal(a, 0.0)) | xp.logical_or(low, xp.greater_equal(b, 1.0))
    return a, {"b": b, "c": c, "d": d, "same": same, "low": low, "odd": odd}
