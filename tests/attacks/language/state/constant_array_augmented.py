# harmless: in-place operators make new arrays
SEEN = xp.asarray((0.0, 0.0, 0.0))

def compute_reward(joint_angles):
    seen = SEEN
    seen += 1.0
    p = xp.sum(joint_angles * SEEN, axis=-1)
    return p, {'p': p}
