# refused: line 3, column 9: xp.datetime64 is not available; see the functions of xp that are listed
def compute_reward(pitch):
    p = xp.datetime64('now')
    return pitch, {'p': pitch}
