# refused: line 3, column 9: xp.__dict__ is not available; see the functions of xp that are listed
def compute_reward(pitch):
    d = xp.__dict__
    return pitch, {'p': pitch}
