# refused: line 3, column 9: xp.resize is not available; see the functions of xp that are listed
def compute_reward(pitch):
    p = xp.resize(pitch, 10)
    return pitch, {'p': pitch}
