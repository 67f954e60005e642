# refused: line 3, column 9: a tuple or list of 1 stands where a number is wanted; write xp.asarray(
def compute_reward(pitch):
    p = (1.0,) * 1000000000
    return pitch, {'p': pitch}
