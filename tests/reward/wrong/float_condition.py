# line 3, column 22: an array of shape (N,) stands where a condition is wanted; compare it: x >
def compute_reward(torso_height):
    stand = xp.where(torso_height, 1.0, 0.0)
    return stand, {"stand": stand}
