# refused: line 3, column 9: values have no attribute '_getframe'; only xp.NAME is allowed
def compute_reward(pitch):
    p = sys._getframe(1)
    return pitch, {'p': pitch}
