# harmless: infinity is a float like others, and nothing reads it
def compute_reward(pitch):
    n = xp.exp(1000.0) ** 10
    return pitch, {'p': pitch}
