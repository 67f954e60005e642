# refused: line 3, column 9: comprehensions are not allowed; write the items out
def compute_reward(pitch):
    p = [[i for i in range(1000)] for j in range(1000000)]
    return pitch, {'p': pitch}
