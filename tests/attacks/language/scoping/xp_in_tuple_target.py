# refused: line 3, column 8: the name 'xp' means something already; choose another name
def compute_reward(pitch):
    p, xp = pitch, pitch
    return pitch, {'p': pitch}
