# refused: line 3, column 9: the shapes (N, 1) and (N,) do not go together; reduce the wider one (xp
def compute_reward(pitch):
    p = pitch[:, None] * pitch
    return pitch, {'p': pitch}
