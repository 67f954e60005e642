# refused: line 3, column 13: the exponent 3.8742e+08 is beyond 10; write a smaller one, or xp.exp(x
def compute_reward(pitch):
    if 9 ** 9 ** 9:
        p = pitch
    return pitch, {'p': pitch}
