# refused: line 3,
def compute_reward(pitch):
    p = pitch * １
    return pitch, {'p': pitch}
