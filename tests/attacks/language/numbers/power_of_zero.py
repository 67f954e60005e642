# refused: line 3, column 9: this is not a real number; write another one
def compute_reward(pitch):
    n = 0 ** -1
    return pitch, {'p': pitch}
