# refused: line 3, column 20: range stands in a for loop only; write for i in range(...)
def compute_reward(pitch):
    p = xp.asarray(range(1000000000))
    return pitch, {'p': pitch}
