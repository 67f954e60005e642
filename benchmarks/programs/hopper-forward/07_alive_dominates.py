ALIVE = 10.0
VELOCITY_WEIGHT = 0.2


def compute_reward(forward_velocity, torso_height, pitch):
    """First of all do not fall; some credit for moving."""
    standing = (torso_height > 0.9) & (xp.abs(pitch) < 0.15)
    alive = xp.where(standing, ALIVE, 0.0)
    run = VELOCITY_WEIGHT * forward_velocity
    return alive + run, {"alive": alive, "run": run}
