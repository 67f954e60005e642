# refused: line 3, column 5: the attribute '__iadd__' is not allowed; only xp.NAME is allowed
def compute_reward(pitch, joint_angles):
    pitch.__iadd__(1.0)
    return pitch, {'p': pitch}
