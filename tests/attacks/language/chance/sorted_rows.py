# refused: line 3, column 9: xp.sort is not available; write xp.min(x, axis=-1) or xp.max(x, axis=-1
def compute_reward(pitch):
    p = xp.sort(pitch, axis=0)
    return pitch, {'p': pitch}
