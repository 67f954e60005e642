# refused: line 2,
def compute_reward[T](pitch):
    return pitch, {'p': pitch}
