# harmless: the probe refuses rewards that are not finite
# probe: non-finite
def compute_reward(pitch):
    p = (pitch * 1e9 + 1e9) ** 10
    for i in range(5):
        p = p ** 10
    return p, {'p': p}
