# refused: line 3, column 5: arrays and dicts cannot be changed in place; build a new one: xp.where(
def compute_reward(pitch):
    globals()['xp'] = 1
    return pitch, {'p': pitch}
