def compute_reward(action, prev_action):
    """Move smoothly and with little effort."""
    effort = -0.1 * xp.sum(action**2, axis=-1)
    jerk = -0.1 * xp.sum((action - prev_action) ** 2, axis=-1)
    return effort + jerk, {"effort": effort, "jerk": jerk}
