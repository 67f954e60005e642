# refused: line 5, column 5: the constant 'CALLS' cannot be assigned again; choose another name
CALLS = 0

def compute_reward(pitch):
    CALLS += 1
    return pitch, {'p': pitch}
