# refused: line 3, column 9: xp.pad is not available; did you mean xp.add?
def compute_reward(pitch):
    p = xp.pad(pitch, 1000000000)
    return pitch, {'p': pitch}
