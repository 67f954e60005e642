# refused: line 3, column 23: the exponent 1e+07 is beyond 10; write a smaller one, or xp.exp(x)
def compute_reward(pitch):
    p = xp.pow(pitch, 10000000)
    return pitch, {'p': pitch}
