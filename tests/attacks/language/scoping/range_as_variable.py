# refused: line 3, column 5: the name 'range' means something already; choose another name
def compute_reward(pitch):
    range = 3
    return pitch, {'p': pitch}
