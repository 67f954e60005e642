def compute_reward(forward_velocity):
    return forward_velocity, {"run": forward_velocity}
