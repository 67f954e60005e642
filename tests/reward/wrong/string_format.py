# line 4, column 12: values have no attribute 'format'; only xp.NAME is allowed
# line 4, column 12: strings are names of components only; write a number, or delete it
def compute_reward(forward_velocity):
    name = "run {}".format(1)
    return forward_velocity, {"run": forward_velocity}
