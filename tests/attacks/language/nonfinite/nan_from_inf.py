# harmless: the probe refuses rewards that are not finite
# probe: non-finite
def compute_reward(pitch):
    p = pitch + (xp.inf - xp.inf)
    return p, {'p': p}
