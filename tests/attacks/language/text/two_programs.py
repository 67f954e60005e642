# refused: line 5, column 1: the function 'compute_reward' is defined twice; delete one of the two
def compute_reward(pitch):
    return pitch, {'p': pitch}

def compute_reward(pitch):
    return pitch, {'p': pitch}
