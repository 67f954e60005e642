# line 3, column 22: '&' and '|' bind tighter than comparisons; put each comparison in
def compute_reward(torso_height, pitch):
    stand = xp.where(torso_height > 0.7 & pitch < 0.2, 1.0, 0.0)
    return stand, {"stand": stand}
