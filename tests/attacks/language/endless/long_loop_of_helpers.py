# refused: line 5, column 13: one call is more than 10,000 operations; work on whole arrays: xp.sum(
def compute_reward(pitch):
    p = pitch
    for i in range(999):
        p = tolerance(p, margin=1.0) + tolerance(-p, margin=2.0)
    return p, {'p': p}
