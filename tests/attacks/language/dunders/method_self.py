# refused: line 3, column 9: xp.tanh.__self__ is not available; see the functions of xp that are lis
def compute_reward(pitch):
    m = xp.tanh.__self__
    return pitch, {'p': pitch}
