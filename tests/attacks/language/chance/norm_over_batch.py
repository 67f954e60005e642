# refused: line 3, column 17: xp.linalg.vector_norm without an axis mixes the rows of the batch; lea
def compute_reward(pitch):
    p = pitch / xp.linalg.vector_norm(pitch)
    return pitch, {'p': pitch}
