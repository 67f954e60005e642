JUMP_WEIGHT = 1.0
FORWARD_WEIGHT = 0.3


def compute_reward(forward_velocity, vertical_velocity, back_foot_height, front_foot_height):
    """A gallop is a series of leaps: leave the ground with both feet, and drift forward."""
    air = xp.where((back_foot_height > 0.25) & (front_foot_height > 0.25), 1.0, 0.0)
    rise = JUMP_WEIGHT * xp.maximum(vertical_velocity, 0.0)
    drift = FORWARD_WEIGHT * forward_velocity
    return rise + air + drift, {"rise": rise, "air": air, "drift": drift}
