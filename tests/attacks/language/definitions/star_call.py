# refused: line 3, column 9: xp.add is not given 'b'; write xp.add(a, b)
def compute_reward(pitch):
    p = xp.add(*(pitch, pitch))
    return pitch, {'p': pitch}
