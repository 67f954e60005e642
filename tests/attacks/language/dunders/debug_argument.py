# refused: line 2, column 7: the name '__debug__' is not allowed; rename it
def f(__debug__):
    return __debug__

def compute_reward(pitch):
    p = f(pitch)
    return p, {'p': p}
