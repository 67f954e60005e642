# refused: line 2, column 13: the argument 'xp' is not a plain name; write plain names, without / an
def f(x, *, xp=1.0):
    return x

def compute_reward(pitch):
    return pitch, {'p': pitch}
