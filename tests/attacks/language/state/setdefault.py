# refused: line 3, column 9: values have no attribute 'setdefault'; only xp.NAME is allowed
def compute_reward(pitch):
    d = {'p': pitch}.setdefault('n', 0)
    return pitch, {'p': pitch}
