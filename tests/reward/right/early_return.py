SPARSE = 1

def compute_reward(forward_velocity):
    if SPARSE:
        fast = xp.where(forward_velocity > 1.0, 1.0, 0.0)
        return fast, {"fast": fast}
    return forward_velocity, {"run": forward_velocity}
