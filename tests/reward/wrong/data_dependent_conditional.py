# line 3, column 20: the condition differs from row to row of the batch; write xp.where(condition,
def compute_reward(torso_height):
    stand = 1.0 if torso_height > 1.0 else 0.0
    return stand, {"stand": stand}
