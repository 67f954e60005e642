# refused: line 3, column 5: one call runs more than 1,000 iterations; work on whole arrays: xp.sum(
def f(x):
    for i in range(100):
        x = x + 1.0
    return x

def compute_reward(pitch):
    p = pitch
    for i in range(100):
        p = f(p)
    return p, {'p': p}
