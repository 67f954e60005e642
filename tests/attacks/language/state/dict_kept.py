# refused: line 4, column 5: arrays and dicts cannot be changed in place; build a new one: xp.where(
def compute_reward(pitch):
    d = {'p': pitch}
    d['q'] = pitch
    return pitch, d
