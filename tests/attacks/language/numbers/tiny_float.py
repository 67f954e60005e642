# harmless: a denormal number is a number
def compute_reward(pitch):
    n = pitch * 1e-320
    return n, {'p': n}
