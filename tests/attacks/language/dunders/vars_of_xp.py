# refused: line 3, column 9: the function 'vars' is unknown; functions: tolerance, smooth_step, wrap
def compute_reward(pitch):
    c = vars(xp)
    return pitch, {'p': pitch}
