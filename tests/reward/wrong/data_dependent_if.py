# line 3, column 8: the condition differs from row to row of the batch; write xp.where(condition,
def compute_reward(torso_height):
    if torso_height > 1.0:
        stand = 1.0
    else:
        stand = 0.0
    return stand, {"stand": stand}
