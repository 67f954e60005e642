# line 3, column 22: comparisons cannot be chained; write (a < x) & (x < b)
def compute_reward(torso_height):
    stand = xp.where(0.7 < torso_height < 1.5, 1.0, 0.0)
    return stand, {"stand": stand}
