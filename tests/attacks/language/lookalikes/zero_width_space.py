# refused: line 3,
def compute_reward(pitch):
    p = pi​tch
    return pitch, {'p': pitch}
