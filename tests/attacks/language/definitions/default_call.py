# refused: line 5, column 12: constants do not call functions of the program; write a number
def f(x):
    return x

def g(x, y=f(1.0)):
    return x

def compute_reward(pitch):
    return pitch, {'p': pitch}
