# refused: line 2, column 1: there is no function compute_reward; rename 'сompute_reward' to compute
def сompute_reward(pitch):
    return pitch, {'p': pitch}
