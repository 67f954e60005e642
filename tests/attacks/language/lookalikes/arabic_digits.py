# refused: line 3,
def compute_reward(pitch):
    p = pitch * ١٢
    return pitch, {'p': pitch}
