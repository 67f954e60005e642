# refused: line 3,
def compute_reward(pitch):
    pi‍tch = 1.0
    return pitch, {'p': pitch}
