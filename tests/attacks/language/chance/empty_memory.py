# refused: line 3, column 9: xp.empty_like is not available; write xp.zeros_like(x)
def compute_reward(pitch):
    p = xp.empty_like(pitch)
    return pitch, {'p': pitch}
