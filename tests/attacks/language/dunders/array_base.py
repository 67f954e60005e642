# refused: line 3, column 9: values have no attribute 'base'; only xp.NAME is allowed
def compute_reward(pitch):
    b = pitch.base
    return pitch, {'p': pitch}
