# refused: line 3, column 12: the function 'compute_reward' calls itself; write for i in range(...)
def compute_reward(pitch):
    return compute_reward(pitch)
