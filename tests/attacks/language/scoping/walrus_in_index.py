# refused: line 3, column 26: ':=' is not allowed; assign on a line of its own
def compute_reward(joint_angles, pitch):
    p = joint_angles[:, (i := 0)]
    return pitch, {'p': pitch}
