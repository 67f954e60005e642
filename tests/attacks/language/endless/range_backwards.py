# refused: line 4, column 5: one call runs more than 1,000 iterations; work on whole arrays: xp.sum(
def compute_reward(pitch):
    p = pitch
    for i in range(0, -1000000, -1):
        p = p + 1.0
    return pitch, {'p': pitch}
