# refused: line 3, column 35: axis=999999999 is out of range for the shape (N, 3); write axis=-1
def compute_reward(joint_angles, pitch):
    p = xp.sum(joint_angles, axis=999999999)
    return pitch, {'p': pitch}
