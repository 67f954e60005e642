# refused: line 3, column 5: assert is not allowed; delete it: shapes are checked beforehand
def compute_reward(pitch):
    assert pitch, __import__('os')
    return pitch, {'p': pitch}
