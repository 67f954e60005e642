# refused: line 4, column 5: del is not allowed; delete the line
def compute_reward(pitch):
    p = pitch
    del p
    return p, {'p': p}
