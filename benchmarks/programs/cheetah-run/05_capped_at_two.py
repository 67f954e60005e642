FASTEST = 2.0
CONTROL_WEIGHT = 0.1


def compute_reward(forward_velocity, action):
    """Run forward, but count no more than a safe 2 m/s."""
    run = xp.minimum(forward_velocity, FASTEST)
    control = -CONTROL_WEIGHT * xp.sum(action**2, axis=-1)
    return run + control, {"run": run, "control": control}
