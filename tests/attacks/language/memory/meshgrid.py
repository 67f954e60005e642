# refused: line 3, column 9: xp.meshgrid is not available; see the functions of xp that are listed
def compute_reward(pitch):
    p = xp.meshgrid(pitch, pitch)
    return pitch, {'p': pitch}
