# refused: line 3,
def compute_reward(pitch):
    p = (pitch
    return pitch, {'p': pitch}
