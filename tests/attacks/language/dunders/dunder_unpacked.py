# refused: line 3, column 8: the name '__dict__' is not allowed; rename it
def compute_reward(pitch):
    p, __dict__ = pitch, 1.0
    return pitch, {'p': pitch}
