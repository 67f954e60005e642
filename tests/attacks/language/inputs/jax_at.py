# refused: line 3, column 9: values have no attribute 'at'; only xp.NAME is allowed
def compute_reward(pitch, joint_angles):
    p = pitch.at[0].set(1.0)
    return pitch, {'p': pitch}
