# refused: line 3, column 28: the attribute '__class__' is not allowed; only xp.NAME is allowed
def compute_reward(pitch):
    p = xp.sum(pitch, axis=().__class__)
    return pitch, {'p': pitch}
