# line 3, column 12: strings are names of components only; write a number, or delete it
def compute_reward(forward_velocity):
    mode = "fast"
    return forward_velocity, {"run": forward_velocity}
