FORWARD_WEIGHT = 1.0
CONTROL_WEIGHT = 0.1


def compute_reward(forward_velocity, action):
    """HalfCheetah-v5's published reward: run forward, spend little control."""
    forward = FORWARD_WEIGHT * forward_velocity
    control = -CONTROL_WEIGHT * xp.sum(action**2, axis=-1)
    return forward + control, {"forward": forward, "control": control}
