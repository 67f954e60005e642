# refused: line 3, column 9: the number is larger than 1e9; write a smaller one, or xp.inf as a boun
def compute_reward(pitch):
    n = 1_0_0_0_0_0_0_0_0_0_0
    return pitch, {'p': pitch}
