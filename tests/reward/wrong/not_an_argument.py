# line 3, column 23: 'torso_height' is not an argument of compute_reward; add it to the arguments
def compute_reward(forward_velocity):
    stand = tolerance(torso_height, bounds=(1.0, 1.5), margin=0.3)
    return forward_velocity * stand, {"stand": stand}
