# line 3, column 44: a number stands where a tuple is wanted; write (a, b)
def compute_reward(torso_height):
    stand = tolerance(torso_height, bounds=1.0)
    return stand, {"stand": stand}
