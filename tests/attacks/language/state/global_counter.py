# refused: line 5, column 5: global is not allowed; pass values as arguments and return them
CALLS = 0

def compute_reward(pitch):
    global CALLS
    CALLS = CALLS + 1
    return pitch, {'p': pitch}
