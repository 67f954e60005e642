# refused: line 3, column 9: xp.pi.real is not available; see the functions of xp that are listed
def compute_reward(pitch):
    c = xp.pi.real
    return pitch, {'p': pitch}
