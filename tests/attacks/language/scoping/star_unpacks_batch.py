# refused: line 3, column 12: '*' before a value is not allowed; write the items out
def compute_reward(pitch):
    first, *rest = pitch
    return pitch, {'p': pitch}
