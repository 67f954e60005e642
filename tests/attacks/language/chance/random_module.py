# refused: line 3, column 17: values have no attribute 'random'; only xp.NAME is allowed
def compute_reward(pitch):
    p = pitch * random.random()
    return pitch, {'p': pitch}
