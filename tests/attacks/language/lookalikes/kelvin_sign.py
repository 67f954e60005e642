# refused: line 3, column 5: the name 'K' holds KELVIN SIGN; spell names with a-z, A-Z, 0-9 and _ on
def compute_reward(pitch):
    K = 1.0
    p = pitch * K
    return pitch, {'p': pitch}
