# refused: line 3, column 9: xp.tanh has no argument '__class__'; write xp.tanh(x)
def compute_reward(pitch):
    p = xp.tanh(pitch, __class__=1)
    return pitch, {'p': pitch}
