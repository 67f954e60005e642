# refused: line 3, column 9: the function 'tolerance' is not called; write tolerance(...)
def compute_reward(pitch):
    f = tolerance
    p = f(pitch)
    return pitch, {'p': pitch}
