# refused: line 3, column 10: the number is larger than 1e9; write a smaller one, or xp.inf as a bou
def compute_reward(pitch):
    n = -999999999999999999999999999999
    return pitch, {'p': pitch}
