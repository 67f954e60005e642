# refused: line 3, column 26: a new first axis puts the batch second; write x[:, None]
def compute_reward(pitch):
    p = pitch[:, None] - pitch[None, :]
    return pitch, {'p': pitch}
