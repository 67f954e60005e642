# refused: line 3, column 9: xp.broadcast_to is not available; write x[:, None], or leave it: number
def compute_reward(pitch):
    p = xp.broadcast_to(pitch, (1000000, 1000000))
    return pitch, {'p': pitch}
