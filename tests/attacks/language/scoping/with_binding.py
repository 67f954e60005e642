# refused: line 3, column 5: with is not allowed; delete it and keep its body
def compute_reward(pitch):
    with pitch as xp:
        p = xp
    return pitch, {'p': pitch}
