# harmless: in-place operators make new arrays
def compute_reward(pitch, joint_angles):
    p = joint_angles[:, 0]
    p += 100.0
    q = joint_angles[:, 0]
    return q, {'q': q}
