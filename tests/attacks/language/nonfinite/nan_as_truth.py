# harmless: NaN is true here as in Python
def compute_reward(pitch):
    n = xp.inf * 0.0
    if n:
        p = pitch
    else:
        p = -pitch
    return p, {'p': p}
