# line 3, column 14: 'not' before a condition of shape (N,); write ~(condition)
def compute_reward(torso_height):
    fallen = not torso_height > 0.7
    fall = xp.where(fallen, -1.0, 0.0)
    return fall, {"fall": fall}
