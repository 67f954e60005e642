# refused: line 5, column 13: an array of shape (N, 1, 1, 1, 1) is too large; keep to 4 axes and 4,0
def compute_reward(pitch):
    p = pitch
    for i in range(999):
        p = xp.expand_dims(p, axis=-1)
    return pitch, {'p': pitch}
