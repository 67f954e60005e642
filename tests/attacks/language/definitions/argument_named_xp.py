# refused: line 2, column 7: the name 'xp' means something already; choose another name
def f(xp):
    return xp

def compute_reward(pitch):
    return pitch, {'p': pitch}
