# line 3, column 31: the component's name 'forward run' is not an identifier; use letters, digits
def compute_reward(forward_velocity):
    return forward_velocity, {"forward run": forward_velocity}
