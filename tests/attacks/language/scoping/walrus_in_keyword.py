# refused: line 3, column 36: ':=' is not allowed; assign on a line of its own
def compute_reward(joint_angles, pitch):
    p = xp.sum(joint_angles, axis=(a := -1))
    return pitch, {'p': pitch}
