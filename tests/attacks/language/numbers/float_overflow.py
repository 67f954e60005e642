# refused: line 5, column 17: this is not a real number
# The check knows the values of all numbers.
def compute_reward(pitch):
    n = xp.exp(300.0)
    p = pitch * n ** 10.0
    return p, {'p': p}
