# refused: line 3, column 9: the number is larger than 1e9; write a smaller one, or xp.inf as a boun
def compute_reward(pitch):
    n = 1e999 * pitch
    return pitch, {'p': pitch}
