# refused: line 6, column 13: the number is too large; write a smaller one
def compute_reward(pitch):
    n = 1
    p = pitch
    for i in range(60):
        n = n * 2
    for i in range(n):
        p = p + 1.0
    return pitch, {'p': pitch}
