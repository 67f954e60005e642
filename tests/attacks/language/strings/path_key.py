# refused: line 3, column 20: the component's name '../../x' is not an identifier; use letters, digi
def compute_reward(pitch):
    return pitch, {'../../x': pitch}
