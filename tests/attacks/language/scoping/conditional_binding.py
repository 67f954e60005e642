# refused: line 5, column 12: the name 'q' is read before it is assigned; assign it on a line above,
def compute_reward(pitch):
    if 0:
        q = pitch
    return q, {'p': q}
