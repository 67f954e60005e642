# refused: line 3, column 20: the component's name 'р' is not an identifier; use letters, digits and
def compute_reward(pitch):
    return pitch, {'р': pitch}
