# refused: line 5, column 13: the number is too large; write a smaller one
def compute_reward(pitch):
    n = 1
    for i in range(1, 999):
        n = n * i
    return pitch, {'p': pitch}
