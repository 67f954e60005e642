# line 3, column 76: there is no sigmoid 'gausian'; write one of "gaussian", "hyperbolic",
def compute_reward(torso_height):
    stand = tolerance(torso_height, bounds=(1.0, 1.5), margin=0.3, sigmoid="gausian")
    return stand, {"stand": stand}
