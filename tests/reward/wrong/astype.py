# line 4, column 13: xp.astype is not available; write xp.where(condition, 1.0, 0.0); conditions
# line 4, column 43: xp.float32 is not available; delete it: all numbers are floats
def compute_reward(torso_height):
    stand = xp.astype(torso_height > 1.0, xp.float32)
    return stand, {"stand": stand}
