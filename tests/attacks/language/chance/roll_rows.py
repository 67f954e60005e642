# refused: line 3, column 9: xp.roll is not available; see the functions of xp that are listed
def compute_reward(pitch):
    p = xp.roll(pitch, 1)
    return pitch, {'p': pitch}
