# harmless: atan2 has a value there
def compute_reward(pitch):
    z = pitch * 0.0
    p = xp.atan2(z, -z)
    return p, {'p': p}
