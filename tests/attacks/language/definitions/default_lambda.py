# refused: line 2, column 12: lambda is not allowed; define a function at the top level
def f(x, g=lambda: 1):
    return x

def compute_reward(pitch):
    return pitch, {'p': pitch}
