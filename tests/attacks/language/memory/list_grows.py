# refused: line 5, column 9: a tuple or list of 0 stands where a number is wanted; write xp.asarray(
def compute_reward(pitch):
    p = []
    for i in range(999):
        p += p
    return pitch, {'p': pitch}
