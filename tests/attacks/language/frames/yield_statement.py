# refused: line 3, column 5: yield is not allowed; return total, {...}
def compute_reward(pitch):
    yield pitch
    return pitch, {'p': pitch}
