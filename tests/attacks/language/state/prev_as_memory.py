# harmless: the value one step before is an input, and the same for the same states
def compute_reward(pitch, prev_pitch):
    p = xp.where(pitch == prev_pitch, 1.0, -1.0)
    return p, {'p': p}
