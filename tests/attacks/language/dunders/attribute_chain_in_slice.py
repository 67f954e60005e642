# refused: line 3, column 15: the attribute '__class__' is not allowed; only xp.NAME is allowed
def compute_reward(pitch):
    p = pitch[().__class__:]
    return pitch, {'p': pitch}
