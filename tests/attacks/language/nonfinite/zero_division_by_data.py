# harmless: the probe refuses rewards that are not finite
# probe: non-finite
def compute_reward(pitch):
    p = 1.0 / (pitch - pitch)
    return p, {'p': p}
