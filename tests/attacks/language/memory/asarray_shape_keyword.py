# refused: line 3, column 9: xp.asarray has no argument 'shape'; write xp.asarray(values)
def compute_reward(pitch):
    p = xp.asarray((1.0,), shape=(1000000000,))
    return pitch, {'p': pitch}
