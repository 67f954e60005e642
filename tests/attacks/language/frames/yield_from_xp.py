# refused: line 3, column 9: yield is not allowed; return total, {...}
def compute_reward(pitch):
    p = yield from xp
    return pitch, {'p': pitch}
