# refused: line 3, column 18: yield is not allowed; return total, {...}
def compute_reward(pitch):
    p = xp.tanh((yield pitch))
    return pitch, {'p': pitch}
