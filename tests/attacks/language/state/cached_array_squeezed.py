# harmless: a single number becomes a column of its own
def compute_reward(pitch):
    p = xp.squeeze(xp.asarray((1.0,)), axis=0)
    return p, {'p': p, 'q': p}
