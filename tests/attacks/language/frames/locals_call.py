# refused: line 3, column 9: the function 'locals' is unknown; functions: tolerance, smooth_step, wr
def compute_reward(pitch):
    p = locals()
    return pitch, {'p': pitch}
