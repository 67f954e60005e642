# refused: line 2, column 7: the name '__import__' is not allowed; rename it
def f(__import__):
    return __import__

def compute_reward(pitch):
    p = f(pitch)
    return p, {'p': p}
