# refused: line 3, column 9: strings are names of components only; write a number, or delete it
def compute_reward(pitch):
    p = '%1000000000d' % 1
    return pitch, {'p': pitch}
