# line 2, column 44: arguments of compute_reward have no default values; define an upper-case
def compute_reward(forward_velocity, scale=2.0):
    return forward_velocity * scale, {"run": forward_velocity}
