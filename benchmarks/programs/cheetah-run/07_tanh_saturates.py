SPEED_SCALE = 0.3


def compute_reward(forward_velocity, action):
    """A bounded speed reward, so that no term dominates."""
    run = xp.tanh(forward_velocity / SPEED_SCALE)
    control = -0.1 * xp.sum(xp.square(action), axis=-1)
    return run + control, {"run": run, "control": control}
