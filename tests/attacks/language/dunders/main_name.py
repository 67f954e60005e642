# refused: line 3, column 9: the name '__name__' is not allowed; delete it
def compute_reward(pitch):
    p = __name__
    return pitch, {'p': pitch}
