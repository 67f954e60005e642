# refused: line 5, column 33: tolerance's margin is nan
# The check knows the values of all numbers.
def compute_reward(pitch):
    n = xp.inf - xp.inf
    p = tolerance(pitch, margin=n)
    return p, {'p': p}
