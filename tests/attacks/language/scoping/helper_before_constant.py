# refused: line 2, column 12: the name 'LIMIT' is read before it is assigned; assign it on a line ab
def f(x, y=LIMIT):
    return x

LIMIT = 1.0

def compute_reward(pitch):
    return pitch, {'p': pitch}
