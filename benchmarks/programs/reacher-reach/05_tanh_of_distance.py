SHARPNESS = 30.0


def compute_reward(target_distance):
    """A bounded distance reward that is sharp near the target."""
    reach = 1.0 - xp.tanh(SHARPNESS * target_distance)
    return reach, {"reach": reach}
