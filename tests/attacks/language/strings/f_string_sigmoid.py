# refused: line 3, column 46: f-strings are not allowed; write the component's name out
def compute_reward(pitch):
    p = tolerance(pitch, margin=1.0, sigmoid=f'{"gaussian"}')
    return pitch, {'p': pitch}
