# refused: line 3, column 5: attributes cannot be assigned; assign to a plain name
def compute_reward(pitch, joint_angles):
    pitch.shape = (1,)
    return pitch, {'p': pitch}
