# harmless: the sign of a zero is a function of the state
def compute_reward(pitch):
    p = xp.copysign(1.0, -0.0 * pitch)
    return p, {'p': p}
