# refused: line 3, column 9: values have no attribute 'pop'; only xp.NAME is allowed
def compute_reward(pitch):
    p = {pitch, 1.0}.pop()
    return pitch, {'p': pitch}
