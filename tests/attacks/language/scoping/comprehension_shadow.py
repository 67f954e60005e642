# refused: line 3, column 9: comprehensions are not allowed; write the items out
def compute_reward(pitch):
    p = [xp for xp in (1,)]
    return pitch, {'p': pitch}
