# refused: line 5, column 9: an array of shape (N, 3, 3, 3, 1) is too large; keep to 4 axes and 4,09
def compute_reward(joint_angles, pitch):
    p = joint_angles[:, :, None] * joint_angles[:, None, :]
    q = p[:, :, :, None] * joint_angles[:, None, None, :]
    r = q[:, :, :, :, None] * q[:, :, :, None, :]
    return pitch, {'p': pitch}
