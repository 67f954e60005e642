# refused: line 3, column 17: the function 'hash' is unknown; functions: tolerance, smooth_step, wra
def compute_reward(pitch):
    p = pitch * hash('p')
    return pitch, {'p': pitch}
