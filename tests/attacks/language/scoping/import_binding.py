# refused: line 3, column 5: imports are not allowed; delete it: xp and the helpers are there
def compute_reward(pitch):
    import math as tolerance
    return pitch, {'p': pitch}
