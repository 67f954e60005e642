# refused: line 2,
>>> def compute_reward(pitch):
    return pitch, {'p': pitch}
