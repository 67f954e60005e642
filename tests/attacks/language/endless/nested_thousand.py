# refused: line 6, column 13: one call runs more than 1,000 iterations; work on whole arrays: xp.sum
def compute_reward(pitch):
    p = pitch
    for i in range(999):
        for j in range(999):
            for k in range(999):
                p = p + 1.0
    return pitch, {'p': pitch}
