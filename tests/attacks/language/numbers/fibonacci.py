# refused: line 6, column 19: the number is too large; write a smaller one
def compute_reward(pitch):
    a = 1
    b = 1
    for i in range(999):
        a, b = b, a + b
    return pitch, {'p': pitch}
