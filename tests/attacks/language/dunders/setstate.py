# refused: line 3, column 5: the attribute '__setstate__' is not allowed; only xp.NAME is allowed
def compute_reward(pitch):
    pitch.__setstate__((1, (1,), None, False, b''))
    return pitch, {'p': pitch}
