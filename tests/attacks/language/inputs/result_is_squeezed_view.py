# harmless: results are copies: a change of one reaches nothing else
def compute_reward(pitch, joint_angles):
    p = xp.squeeze(joint_angles[:, 0:1], axis=-1)
    return p, {'p': p}
