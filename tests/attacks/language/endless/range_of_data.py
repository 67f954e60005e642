# refused: line 4, column 20: an array of shape (N,) stands where a whole number is wanted; write it
def compute_reward(pitch):
    p = pitch
    for i in range(pitch):
        p = p + 1.0
    return pitch, {'p': pitch}
