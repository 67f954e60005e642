# refused: line 3, column 9: strings are names of components only; write a number, or delete it
def compute_reward(pitch):
    p = '%s' % pitch
    return pitch, {'p': pitch}
