# harmless: the probe refuses rewards that are not finite
# probe: non-finite
def compute_reward(pitch):
    p = pitch * 0.0 + xp.inf
    return p, {'p': p}
