# refused: line 3,
def compute_reward(pitch):
    p = xp.tanh（pitch）
    return pitch, {'p': pitch}
