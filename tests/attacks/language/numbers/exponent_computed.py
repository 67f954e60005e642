# harmless: a float's power is one operation; NaN, if any, is for the probe
# probe: non-finite
def compute_reward(pitch):
    n = xp.exp(20.0)
    p = xp.tanh(pitch) ** n
    return p, {'p': p}
