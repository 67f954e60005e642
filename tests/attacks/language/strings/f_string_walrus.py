# refused: line 3, column 9: f-strings are not allowed; write the component's name out
def compute_reward(pitch):
    p = f'{(q := pitch)}'
    return pitch, {'p': pitch}
