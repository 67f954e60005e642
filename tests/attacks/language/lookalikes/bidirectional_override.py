# refused: line 3, column 18: the character U+202E is not text; delete it
def compute_reward(pitch):
    p = pitch  # ‮ )1.0 + hctip( ⁦
    return pitch, {'p': pitch}
