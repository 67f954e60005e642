# line 3, column 44: tolerance's lower bound 1.5 is above its upper bound 1; swap the two
def compute_reward(torso_height):
    stand = tolerance(torso_height, bounds=(1.5, 1.0), margin=0.3)
    return stand, {"stand": stand}
