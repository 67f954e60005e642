# refused: line 2, column 9: the argument 'names' is not a plain name; write plain names, without / 
def f(**names):
    return names

def compute_reward(pitch):
    p = f(__class__=pitch)
    return pitch, {'p': pitch}
