# refused: line 2, column 2: decorators are not allowed; delete it
@lambda f: print
def compute_reward(pitch):
    return pitch, {'p': pitch}
