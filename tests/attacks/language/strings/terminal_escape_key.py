# refused: line 3, column 20: the component's name '\x1b]0;owned\x07' is not an identifier; use lett
def compute_reward(pitch):
    return pitch, {'\x1b]0;owned\x07': pitch}
