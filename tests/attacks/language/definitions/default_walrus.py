# refused: line 2, column 13: ':=' is not allowed; assign on a line of its own
def f(x, g=(h := 1.0)):
    return x

def compute_reward(pitch):
    return pitch, {'p': pitch}
