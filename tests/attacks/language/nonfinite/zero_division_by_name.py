# refused: line 4, column 9: this divides by zero; write another divisor
def compute_reward(pitch):
    z = 1 - 1
    p = pitch / z
    return pitch, {'p': pitch}
