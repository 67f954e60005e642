# harmless: statements on one line are statements
def compute_reward(pitch): p = pitch; return p, {'p': p}
