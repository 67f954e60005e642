# refused: line 3, column 5: values have no attribute 'append'; write the items out
def f(x, seen=[]):
    seen.append(x)
    return x

def compute_reward(pitch):
    return pitch, {'p': pitch}
