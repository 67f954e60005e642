# refused: line 3, column 5: values have no attribute 'fill'; only xp.NAME is allowed
def compute_reward(pitch, joint_angles):
    pitch.fill(0.0)
    return pitch, {'p': pitch}
