# refused: line 3, column 9: the index picks one row of the batch; leave the index out: there is one
def compute_reward(pitch):
    p = pitch['__class__']
    return pitch, {'p': pitch}
