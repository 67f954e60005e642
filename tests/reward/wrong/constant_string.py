# line 2, column 8: strings are names of components only; write a number, or delete it
MODE = "fast"

def compute_reward(forward_velocity):
    return forward_velocity, {"run": forward_velocity}
