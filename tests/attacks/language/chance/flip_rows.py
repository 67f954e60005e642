# refused: line 3, column 9: the index picks rows of the batch; write x[:, 0] for the first entry of
def compute_reward(pitch):
    p = pitch[::-1]
    return pitch, {'p': pitch}
