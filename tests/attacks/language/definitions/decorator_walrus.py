# refused: line 2, column 3: decorators are not allowed; delete it
@(d := print)
def compute_reward(pitch):
    return pitch, {'p': pitch}
