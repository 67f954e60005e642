# refused: line 2, column 1: the name 'range' means something already; choose another name
def range(n):
    return n

def compute_reward(pitch):
    return pitch, {'p': pitch}
