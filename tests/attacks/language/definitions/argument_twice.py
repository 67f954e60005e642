# refused: line 2, column 27: the argument 'pitch' is there twice; delete one of the two
def compute_reward(pitch, pitch):
    return pitch, {'p': pitch}
