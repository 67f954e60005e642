# refused: line 3, column 9: the name '__class__' is not allowed; rename it
def compute_reward(pitch):
    for __class__ in range(3):
        p = pitch
    return pitch, {'p': pitch}
