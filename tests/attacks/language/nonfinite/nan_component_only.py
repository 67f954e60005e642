# harmless: the probe refuses rewards that are not finite
# probe: non-finite
def compute_reward(pitch):
    p = xp.log(-xp.abs(pitch) - 1.0)
    return pitch, {'p': p}
