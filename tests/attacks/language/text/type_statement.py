# refused: line 2,
type X = __import__('os')
def compute_reward(pitch):
    return pitch, {'p': pitch}
