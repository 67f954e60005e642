# refused: line 3, column 17: the index picks one row of the batch; leave the index out: there is on
def compute_reward(pitch):
    p = pitch - pitch[0]
    return pitch, {'p': pitch}
