# refused: line 3, column 10: lambda is not allowed; define a function at the top level
def compute_reward(pitch):
    p = (lambda x: x)(pitch)
    return pitch, {'p': pitch}
