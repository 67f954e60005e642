def never(x):
    return (1.0)[0] + (-12)[:, 1]

def compute_reward(pitch):
    return -xp.abs(pitch), {"pitch": pitch}
