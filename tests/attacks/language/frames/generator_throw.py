# refused: line 3, column 9: values have no attribute 'throw'; only xp.NAME is allowed
def compute_reward(pitch):
    p = (q for q in (1.0,)).throw(ValueError)
    return pitch, {'p': pitch}
