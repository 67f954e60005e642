# line 2, column 37: this is not Python
def compute_reward(forward_velocity)
    return forward_velocity, {"run": forward_velocity}
