# refused: line 2, column 7: the name 'tolerance' means something already; choose another name
def f(tolerance):
    return tolerance

def compute_reward(pitch):
    return pitch, {'p': pitch}
