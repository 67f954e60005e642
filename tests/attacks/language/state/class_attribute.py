# refused: line 2, column 1: classes are not allowed; write plain functions
class Memory:
    calls = 0

def compute_reward(pitch):
    Memory.calls += 1
    return pitch, {'p': pitch}
