# refused: line 3, column 17: xp.random.rand is not available; see the functions of xp that are list
def compute_reward(pitch):
    p = pitch * xp.random.rand()
    return pitch, {'p': pitch}
