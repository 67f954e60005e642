# line 3, column 63: tolerance's margin -0.3 is negative; write a margin of 0 or more
def compute_reward(torso_height):
    stand = tolerance(torso_height, bounds=(1.0, 1.5), margin=-0.3)
    return stand, {"stand": stand}
