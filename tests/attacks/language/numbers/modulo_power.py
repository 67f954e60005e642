# refused: line 3, column 9: Python's 'pow' is not available; write x ** 2
def compute_reward(pitch):
    p = pow(3, 10 ** 9, 7)
    return pitch, {'p': pitch}
