# harmless: the probe refuses rewards that are not finite
# probe: non-finite
def compute_reward(pitch):
    n = xp.inf - xp.inf
    p = tolerance(pitch, margin=n)
    return p, {'p': p}
