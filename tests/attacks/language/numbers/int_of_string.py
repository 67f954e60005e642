# refused: line 3, column 9: Python's 'int' is not available; write xp.floor(x), or leave the number
def compute_reward(pitch):
    p = int('9' * 10000)
    return pitch, {'p': pitch}
