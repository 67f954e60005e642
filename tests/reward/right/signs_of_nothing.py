def compute_reward(pitch, torso_height):
    # A root of a negative number has no sign, on any namespace.
    root = (torso_height - 0.5) ** 0.5
    sign = xp.copysign(pitch, root)
    return xp.where(xp.isnan(sign), 0.0, sign), {"negative": 1.0 * xp.signbit(-root), "sign": sign}
