# harmless: a comment is not continued
def compute_reward(pitch):
    p = pitch  # \
    q = p
    return pitch, {'p': pitch}
