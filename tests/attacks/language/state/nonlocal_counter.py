# refused: line 4, column 5: the function 'f' is defined inside another; define it at the top level
def compute_reward(pitch):
    n = 0
    def f():
        nonlocal n
        n += 1
    return pitch, {'p': pitch}
