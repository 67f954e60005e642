# refused: line 3, column 5: arrays and dicts cannot be changed in place; build a new one: xp.where(
def f(x, seen=[0.0]):
    seen[0] += 1.0
    return x

def compute_reward(pitch):
    return pitch, {'p': pitch}
