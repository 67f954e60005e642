# refused: line 2, column 18: the exponent 1e+10 is beyond 10; write a smaller one, or xp.exp(x)
def f(x, n=10 ** 10 ** 10):
    return x

def compute_reward(pitch):
    return pitch, {'p': pitch}
