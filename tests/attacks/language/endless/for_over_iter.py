# refused: line 3, column 14: a loop over iter(...) is not allowed; write for i in range(...) with n
def compute_reward(pitch):
    for i in iter(int, 1):
        p = pitch
    return pitch, {'p': pitch}
