# refused: line 5, column 13: the number is too large; write a smaller one
def compute_reward(pitch):
    n = 10
    for i in range(10):
        n = n ** 10
    return pitch, {'p': pitch}
