# refused: line 3, column 29: the function 'f' calls itself; write for i in range(...)
def f(x, n=1000):
    return x if n == 0 else f(x, n - 1)

def compute_reward(pitch):
    p = f(pitch)
    return p, {'p': p}
