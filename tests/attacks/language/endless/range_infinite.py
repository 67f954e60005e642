# refused: line 4, column 20: inf is not a whole number; write it out, such as 0, 1 or -1
def compute_reward(pitch):
    p = pitch
    for i in range(xp.inf):
        p = p + 1.0
    return pitch, {'p': pitch}
