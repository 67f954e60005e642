# refused: line 3, column 26: the exponent inf is beyond 10; write a smaller one, or xp.exp(x)
def compute_reward(pitch):
    p = xp.abs(pitch) ** xp.inf
    return pitch, {'p': pitch}
