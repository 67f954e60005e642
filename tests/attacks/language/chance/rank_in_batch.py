# refused: line 3, column 9: xp.argsort is not available; see the functions of xp that are listed
def compute_reward(pitch):
    p = xp.argsort(pitch)
    return pitch, {'p': pitch}
