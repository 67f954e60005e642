# refused: line 2, column 1: the name 'tolerance' means something already; choose another name
def tolerance(x):
    return x

def compute_reward(pitch):
    return pitch, {'p': pitch}
