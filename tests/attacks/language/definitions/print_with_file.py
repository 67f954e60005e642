# refused: line 3, column 5: Python's 'print' is not available; delete it: return what you want to s
def compute_reward(pitch):
    print(pitch, file=open('/tmp/owned', 'w'))
    return pitch, {'p': pitch}
