# refused: line 3, column 5: try is not allowed; guard the computation, such as xp.maximum(x, 1e-6)
def compute_reward(pitch):
    try:
        p = pitch
    except* ValueError:
        p = pitch
    return pitch, {'p': pitch}
