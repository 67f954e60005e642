# refused: line 3, column 20: the component's name 'p\x00' is not an identifier; use letters, digits
def compute_reward(pitch):
    return pitch, {'p\0': pitch}
