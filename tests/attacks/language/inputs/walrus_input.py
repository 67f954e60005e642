# refused: line 3, column 10: ':=' is not allowed; assign on a line of its own
def compute_reward(pitch, joint_angles):
    p = (pitch := pitch * 0.0)
    return pitch, {'p': pitch}
