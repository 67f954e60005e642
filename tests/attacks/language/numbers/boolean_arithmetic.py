# refused: line 5, column 13: the number is too large; write a smaller one
def compute_reward(pitch):
    n = True
    for i in range(100):
        n = n + n
    return pitch, {'p': pitch}
