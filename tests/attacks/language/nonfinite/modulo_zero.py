# refused: line 3, column 9: this divides by zero; write another divisor
def compute_reward(pitch):
    p = pitch % 0.0
    return pitch, {'p': pitch}
