# refused: line 3, column 10: the function xp.tanh is not called; write xp.tanh(...)
def compute_reward(pitch):
    p = (xp.tanh if 1 else xp.sinh)(pitch)
    return pitch, {'p': pitch}
