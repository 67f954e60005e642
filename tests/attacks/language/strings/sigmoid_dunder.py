# refused: line 3, column 46: there is no sigmoid '__class__'; write one of "gaussian", "hyperbolic"
def compute_reward(pitch):
    p = tolerance(pitch, margin=1.0, sigmoid='__class__')
    return pitch, {'p': pitch}
