# refused: line 3, column 5: raise is not allowed; delete it: a reward is given for every state
def compute_reward(pitch):
    raise SystemExit
    return pitch, {'p': pitch}
