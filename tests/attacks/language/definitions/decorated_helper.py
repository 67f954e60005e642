# refused: line 2, column 2: decorators are not allowed; delete it
@xp.tanh
def f(x):
    return x

def compute_reward(pitch):
    return pitch, {'p': pitch}
