# refused: line 3, column 9: the function 'eval' is unknown; functions: tolerance, smooth_step, wrap
def compute_reward(pitch):
    p = eval('pi' + 'tch')
    return pitch, {'p': pitch}
