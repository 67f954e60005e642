# refused: line 9, column 12: the function 'f' calls itself; write for i in range(...)
def f(x):
    return g(x)

def g(x):
    return h(x)

def h(x):
    return f(x)

def compute_reward(pitch):
    p = f(pitch)
    return p, {'p': p}
