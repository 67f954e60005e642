# refused: line 2, column 33: arguments of compute_reward have no default values; define an upper-ca
def compute_reward(pitch, calls=0):
    return pitch, {'p': pitch}
