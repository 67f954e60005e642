# refused: line 3, column 9: xp.tile is not available; write x[:, None]: numbers and columns spread 
def compute_reward(pitch):
    p = xp.tile(pitch, 1000000000)
    return pitch, {'p': pitch}
