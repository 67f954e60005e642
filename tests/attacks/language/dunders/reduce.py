# refused: line 3, column 9: the attribute '__reduce_ex__' is not allowed; only xp.NAME is allowed
def compute_reward(pitch):
    r = pitch.__reduce_ex__(2)
    return pitch, {'p': pitch}
