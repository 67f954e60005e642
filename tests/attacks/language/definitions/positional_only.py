# refused: line 2, column 7: the argument 'x' is not a plain name; write plain names, without / and 
def f(x, /):
    return x

def compute_reward(pitch):
    return pitch, {'p': pitch}
