# harmless: 5,000 columns of a batch are forty megabytes, and more are refused
def compute_reward(pitch):
    u = pitch
    for i in range(999):
        u = (u, pitch + i, pitch * i, pitch - i, pitch + i)
    return pitch, {'p': pitch}
