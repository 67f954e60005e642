# harmless: results are copies: a change of one reaches nothing else
def compute_reward(pitch, joint_angles):
    return pitch, {'p': pitch, 'q': pitch}
