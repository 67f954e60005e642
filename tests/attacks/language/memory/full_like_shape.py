# refused: line 3, column 9: xp.full_like has no argument 'shape'; write xp.full_like(x, value)
def compute_reward(pitch):
    p = xp.full_like(pitch, 1.0, shape=(1000000000,))
    return pitch, {'p': pitch}
