# refused: line 3, column 17: values have no attribute 'urandom'; only xp.NAME is allowed
def compute_reward(pitch):
    p = pitch * os.urandom(1)[0]
    return pitch, {'p': pitch}
