# refused: line 3, column 9: the name '__file__' is not allowed; delete it
def compute_reward(pitch):
    p = __file__
    return pitch, {'p': pitch}
