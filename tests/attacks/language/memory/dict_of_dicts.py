# harmless: a dict of two takes as much room, whatever it holds
def compute_reward(pitch):
    d = {'a': pitch}
    for i in range(999):
        d = {'a': d, 'b': d}
    return pitch, {'p': pitch}
