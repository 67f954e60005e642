# refused: line 3, column 17: values have no attribute 'time'; only xp.NAME is allowed
def compute_reward(pitch):
    p = pitch * time.time()
    return pitch, {'p': pitch}
