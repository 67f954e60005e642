# refused: line 2, column 5: range stands in a for loop only; write for i in range(...)
N = range(1000000000)
def compute_reward(pitch):
    return pitch, {'p': pitch}
