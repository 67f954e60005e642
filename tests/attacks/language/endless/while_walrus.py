# refused: line 3, column 5: while loops are not allowed; write for i in range(...) with numbers
def compute_reward(pitch):
    while (n := 1):
        p = pitch
    return pitch, {'p': pitch}
