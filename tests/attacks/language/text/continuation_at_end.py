# refused: line 4,
def compute_reward(pitch):
    return pitch, {'p': pitch}
    \
