def compute_reward(forward_velocity):
    """As fast as possible, nothing else."""
    return forward_velocity, {"velocity": forward_velocity}
