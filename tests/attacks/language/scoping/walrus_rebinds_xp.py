# refused: line 3, column 10: ':=' is not allowed; assign on a line of its own
def compute_reward(pitch):
    p = (xp := pitch)
    return pitch, {'p': pitch}
