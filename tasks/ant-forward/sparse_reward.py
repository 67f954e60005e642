SUCCESS_SPEED = 1.0


def compute_reward(forward_velocity):
    """1 while the robot moves forward at the speed that counts as success, else 0."""
    fast = xp.where(forward_velocity > SUCCESS_SPEED, 1.0, 0.0)
    return fast, {"fast": fast}
