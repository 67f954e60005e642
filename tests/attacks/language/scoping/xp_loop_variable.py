# refused: line 3, column 9: the name 'xp' means something already; choose another name
def compute_reward(pitch):
    for xp in range(3):
        p = pitch
    return pitch, {'p': pitch}
