# refused: line 3, column 9: values have no attribute 'format_map'; only xp.NAME is allowed
def compute_reward(pitch):
    p = '{x.__class__}'.format_map({'x': pitch})
    return pitch, {'p': pitch}
