# refused: line 3, column 5: xp.put is not available; see the functions of xp that are listed
def compute_reward(pitch, joint_angles):
    xp.put(pitch, 0, 1.0)
    return pitch, {'p': pitch}
