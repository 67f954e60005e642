# harmless: in-place operators make new arrays
def compute_reward(pitch, joint_angles):
    total = pitch
    pitch += 1.0
    pitch *= 2.0
    return total, {'p': pitch}
