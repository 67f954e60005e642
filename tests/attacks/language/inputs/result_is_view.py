# harmless: results are copies: a change of one reaches nothing else
def compute_reward(pitch, joint_angles):
    p = joint_angles[:, 0]
    return p, {'p': p, 'q': joint_angles[:, 0]}
