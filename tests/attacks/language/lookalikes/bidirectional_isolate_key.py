# refused: line 3, column 22: the character U+2067 is not text; delete it
def compute_reward(pitch):
    return pitch, {'p⁧q': pitch}
