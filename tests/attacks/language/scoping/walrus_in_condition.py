# refused: line 3, column 19: ':=' is not allowed; assign on a line of its own
def compute_reward(pitch):
    p = pitch if (n := 1) else pitch
    return pitch, {'p': pitch}
