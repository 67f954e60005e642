CONTROL_WEIGHT = 0.05


def compute_reward(forward_velocity, action):
    """The faster forwards the better, at a small price for effort."""
    run = forward_velocity
    effort = -CONTROL_WEIGHT * xp.sum(action**2, axis=-1)
    return run + effort, {"run": run, "effort": effort}
