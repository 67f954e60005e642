# refused: line 3, column 17: the function 'id' is unknown; functions: tolerance, smooth_step, wrap_
def compute_reward(pitch):
    p = pitch * id(pitch)
    return pitch, {'p': pitch}
