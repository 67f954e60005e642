# harmless: Python folds no power as large, and no line after the return runs
def compute_reward(pitch):
    return pitch, {'p': pitch}
    n = 10 ** 10 ** 10
