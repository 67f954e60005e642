# harmless: a huge reward wins its own return alone; the probe warns
# probe: non-finite
def compute_reward(pitch):
    p = pitch * 0.0 + 1e9
    for i in range(20):
        p = p * 1e9
    return p, {'p': p}
