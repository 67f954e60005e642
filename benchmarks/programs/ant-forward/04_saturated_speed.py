SCALE = 0.15


def compute_reward(forward_velocity, action):
    """Bounded forward progress and a control cost."""
    forward = xp.tanh(forward_velocity / SCALE)
    control = -0.5 * xp.mean(action**2, axis=-1)
    return forward + control + 0.5, {"forward": forward, "control": control}
