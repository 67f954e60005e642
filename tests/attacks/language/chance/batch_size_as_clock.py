# refused: line 3, column 17: values have no attribute 'shape'; write the number out: shapes are fix
def compute_reward(pitch):
    p = pitch * pitch.shape[0]
    return pitch, {'p': pitch}
