# refused: line 3, column 5: with is not allowed; delete it and keep its body
def compute_reward(pitch):
    with xp as q:
        p = q
    return pitch, {'p': pitch}
