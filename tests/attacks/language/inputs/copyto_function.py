# refused: line 3, column 5: xp.copyto is not available; see the functions of xp that are listed
def compute_reward(pitch, joint_angles):
    xp.copyto(pitch, 0.0)
    return pitch, {'p': pitch}
