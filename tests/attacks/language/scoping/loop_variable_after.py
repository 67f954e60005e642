# harmless: the loop's variable keeps its last value, as in Python
def compute_reward(pitch):
    for i in range(3):
        p = pitch
    return p * i, {'p': p}
