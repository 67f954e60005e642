# refused: line 3, column 5: arrays and dicts cannot be changed in place; build a new one: xp.where(
def f(x, seen={}):
    seen['x'] = x
    return x

def compute_reward(pitch):
    return pitch, {'p': pitch}
