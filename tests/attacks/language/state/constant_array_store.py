# refused: line 5, column 5: arrays and dicts cannot be changed in place; build a new one: xp.where(
SEEN = xp.asarray((0.0, 0.0))

def compute_reward(pitch):
    SEEN[0] = 1.0
    return pitch, {'p': pitch}
