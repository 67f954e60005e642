# refused: line 3, column 9: '<<' is not allowed; write a < b, or multiply
def compute_reward(pitch):
    n = 1 << 1000000000
    return pitch, {'p': pitch}
