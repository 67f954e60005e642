# refused: line 5, column 1: the function 'f' is defined twice; delete one of the two
def f(x):
    return x

def f(x):
    return f(x)

def compute_reward(pitch):
    p = f(pitch)
    return p, {'p': p}
