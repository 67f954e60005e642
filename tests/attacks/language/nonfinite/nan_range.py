# refused: line 3, column 20: nan is not a whole number; write it out, such as 0, 1 or -1
def compute_reward(pitch):
    for i in range(xp.inf - xp.inf):
        p = pitch
    return pitch, {'p': pitch}
