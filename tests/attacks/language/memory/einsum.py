# refused: line 3, column 9: xp.einsum is not available; write xp.sum(a * b, axis=-1)
def compute_reward(pitch):
    p = xp.einsum('i,j,k->ijk', pitch, pitch, pitch)
    return pitch, {'p': pitch}
