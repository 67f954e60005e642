# harmless: a thousand iterations of four operations are within the bounds, and take milliseconds
def compute_reward(pitch):
    p = pitch
    for i in range(999):
        p = xp.tanh(p * 0.5 + pitch)
    return p, {'p': p}
