# refused: line 2, column 11: the exponent 1e+10 is beyond 10; write a smaller one, or xp.exp(x)
N = 10 ** 10 ** 10
def compute_reward(pitch):
    return pitch, {'p': pitch}
