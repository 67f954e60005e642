# refused: line 3, column 9: xp.cumulative_sum is not available; see the functions of xp that are li
def compute_reward(pitch):
    p = xp.cumulative_sum(pitch)
    return pitch, {'p': pitch}
