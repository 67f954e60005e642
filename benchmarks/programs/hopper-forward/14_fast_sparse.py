FAST = 2.5


def compute_reward(forward_velocity, torso_height):
    """A point whenever the robot is fast and high at once."""
    fast = (forward_velocity > FAST) & (torso_height > 1.0)
    point = xp.where(fast, 1.0, 0.0)
    return point, {"point": point}
