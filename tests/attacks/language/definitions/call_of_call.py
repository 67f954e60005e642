# refused: line 3, column 9: this is not a function; call xp.NAME or a helper by name
def compute_reward(pitch):
    p = tolerance(pitch)(pitch)
    return pitch, {'p': pitch}
