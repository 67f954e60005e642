# refused: line 2, column 12: the function xp.tanh is not called; write xp.tanh(...)
def f(x, g=xp.tanh):
    return g(x)

def compute_reward(pitch):
    return pitch, {'p': pitch}
