# refused: line 5, column 27: the exponent 4.85165e+08 is beyond 10
# The check knows the values of all numbers.
def compute_reward(pitch):
    n = xp.exp(20.0)
    p = xp.tanh(pitch) ** n
    return p, {'p': p}
