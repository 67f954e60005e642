# harmless: the probe refuses rewards that are not finite
# probe: non-finite
def compute_reward(pitch):
    p = xp.exp(xp.exp(xp.exp(xp.abs(pitch) + 3.0)))
    return p, {'p': p}
