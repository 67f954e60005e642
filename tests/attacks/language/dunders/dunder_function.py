# refused: line 2, column 1: the name '__getattr__' is not allowed; rename it
def __getattr__(name):
    return name

def compute_reward(pitch):
    return pitch, {'p': pitch}
