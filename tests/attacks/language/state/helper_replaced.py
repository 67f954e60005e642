# refused: line 3, column 5: the name 'tolerance' means something already; choose another name
def compute_reward(pitch):
    tolerance = smooth_step
    return pitch, {'p': pitch}
