# refused: line 3, column 17: Python's 'len' is not available; write the number out: shapes are fixe
def compute_reward(pitch):
    p = pitch * len(os.environ)
    return pitch, {'p': pitch}
