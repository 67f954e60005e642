# refused: line 3, column 9: comprehensions are not allowed; write the items out
def compute_reward(pitch):
    p = [q := i for i in range(3)]
    return pitch, {'p': pitch}
