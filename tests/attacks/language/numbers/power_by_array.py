# refused: line 3, column 24: the exponent is not a constant; write xp.exp(y * xp.log(x)), for x > 0
def compute_reward(pitch):
    p = 2.0 ** (2.0 ** pitch)
    return pitch, {'p': pitch}
