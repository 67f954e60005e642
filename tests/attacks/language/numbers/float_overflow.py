# refused: line 4, column 9: the number is too large
# The check knows the values of all numbers.
def compute_reward(pitch):
    n = xp.exp(300.0)
    p = pitch * n ** 10.0
    return p, {'p': p}
