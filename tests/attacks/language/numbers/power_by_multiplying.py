# refused: line 5, column 13: the number is too large; write a smaller one
def compute_reward(pitch):
    n = 9
    for i in range(500):
        n = n * n
    return pitch, {'p': pitch}
