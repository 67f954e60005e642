# refused: line 3, column 9: comprehensions are not allowed; write the items out
def compute_reward(pitch):
    p = {i for i in range(1000000000)}
    return pitch, {'p': pitch}
