FORWARD_WEIGHT = 1.0
CONTROL_WEIGHT = 1.0


def compute_reward(forward_velocity, action):
    """Run forward as efficiently as possible."""
    forward = FORWARD_WEIGHT * forward_velocity
    control = -CONTROL_WEIGHT * xp.sum(action**2, axis=-1)
    return forward + control, {"forward": forward, "control": control}
