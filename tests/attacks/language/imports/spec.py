# refused: line 3, column 9: values have no attribute 'loader'; only xp.NAME is allowed
def compute_reward(pitch):
    m = __spec__.loader
    return pitch, {'p': pitch}
