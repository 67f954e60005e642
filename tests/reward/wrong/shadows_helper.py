# line 3, column 5: the name 'tolerance' means something already; choose another name
def compute_reward(forward_velocity):
    tolerance = 0.1
    return forward_velocity * tolerance, {"run": forward_velocity}
