# refused: line 2, column 12: comprehensions are not allowed; write the items out
def f(x, g=[i for i in range(1000000000)]):
    return x

def compute_reward(pitch):
    return pitch, {'p': pitch}
