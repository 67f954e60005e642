# refused: line 2, column 10: the argument 'x' is there twice; delete one of the two
def f(x, x):
    return x

def compute_reward(pitch):
    return pitch, {'p': pitch}
