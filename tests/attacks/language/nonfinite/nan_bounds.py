# refused: line 5, column 33: a bound of tolerance is NaN
# The check knows the values of all numbers.
def compute_reward(pitch):
    n = xp.inf - xp.inf
    p = tolerance(pitch, bounds=(n, n), margin=1.0)
    return p, {'p': p}
