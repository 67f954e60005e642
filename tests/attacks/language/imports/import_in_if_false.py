# refused: line 4, column 9: imports are not allowed; delete it: xp and the helpers are there
def compute_reward(pitch):
    if 0:
        import os
    return pitch, {'p': pitch}
