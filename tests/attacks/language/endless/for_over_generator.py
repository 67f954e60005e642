# refused: line 3, column 14: a loop runs over range(...) only; write for i in range(...) with numbe
def compute_reward(pitch):
    for i in (j for j in range(3)):
        p = pitch
    return pitch, {'p': pitch}
