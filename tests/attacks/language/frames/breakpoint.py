# refused: line 3, column 5: the function 'breakpoint' is unknown; functions: tolerance, smooth_step
def compute_reward(pitch):
    breakpoint()
    return pitch, {'p': pitch}
