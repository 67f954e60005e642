# refused: line 3, column 9: xp.full is not available; write the number itself: numbers spread by th
def compute_reward(pitch):
    p = xp.full((100000, 100000), 1.0)
    return pitch, {'p': pitch}
