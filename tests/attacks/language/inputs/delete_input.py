# refused: line 3, column 5: del is not allowed; delete the line
def compute_reward(pitch, joint_angles):
    del pitch
    return pitch, {'p': pitch}
