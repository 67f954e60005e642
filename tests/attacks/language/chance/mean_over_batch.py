# refused: line 3, column 37: xp.mean along axis 0 of (N,) mixes the rows; leave it out: there is on
def compute_reward(pitch):
    p = pitch - xp.mean(pitch, axis=0)
    return pitch, {'p': pitch}
