# refused: line 4, column 27: the step is 0; write another one
def compute_reward(pitch):
    p = pitch
    for i in range(0, 10, 0):
        p = p + 1.0
    return pitch, {'p': pitch}
