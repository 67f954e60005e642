# refused: line 3, column 9: the attribute '__array_interface__' is not allowed; only xp.NAME is all
def compute_reward(pitch):
    p = pitch.__array_interface__
    return pitch, {'p': pitch}
