# refused: line 3, column 20: the component's name '\\x1b[2J' is not an identifier; use letters, dig
def compute_reward(pitch):
    return pitch, {r'\x1b[2J': pitch}
