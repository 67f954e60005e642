# refused: line 3, column 46: there is no sigmoid '../../etc/passwd'; write one of "gaussian", "hype
def compute_reward(pitch):
    p = tolerance(pitch, margin=1.0, sigmoid='../../etc/passwd')
    return pitch, {'p': pitch}
