# harmless: Python's OverflowError is the program's error, with its line
# probe: raised
def compute_reward(pitch):
    n = xp.exp(300.0)
    p = pitch * n ** 10.0
    return p, {'p': p}
