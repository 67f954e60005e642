# refused: line 3,
def compute_reward(pitch):
    print pitch
    return pitch, {'p': pitch}
