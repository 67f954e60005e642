# refused: line 3, column 9: an array of shape (N, 1, 1, 1, 1, 1, 1, 1, 1, 1) is too large; keep to 
def compute_reward(pitch):
    p = pitch[:, None, None, None, None, None, None, None, None, None]
    return pitch, {'p': pitch}
