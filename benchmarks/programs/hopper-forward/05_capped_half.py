FASTEST = 0.5
ALIVE = 0.5


def compute_reward(forward_velocity, pitch):
    """Go forward no faster than is safe, and stay upright."""
    run = 2.0 * xp.clip(forward_velocity, -FASTEST, FASTEST)
    upright = ALIVE * xp.exp(-((pitch / 0.1) ** 2))
    return run + upright, {"run": run, "upright": upright}
