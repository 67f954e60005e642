# refused: line 3, column 5: values have no attribute 'zero_'; only xp.NAME is allowed
def compute_reward(pitch, joint_angles):
    pitch.zero_()
    return pitch, {'p': pitch}
