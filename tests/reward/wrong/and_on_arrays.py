# line 3, column 12: 'and' on a condition of shape (N,); write (a) & (b), each comparison in
def compute_reward(torso_height, pitch):
    safe = torso_height > 0.7 and xp.abs(pitch) < 0.2
    stand = xp.where(safe, 1.0, 0.0)
    return stand, {"stand": stand}
