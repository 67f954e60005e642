CONTROL_WEIGHT = 50.0


def compute_reward(target_distance, action):
    """Reach with the smallest torques."""
    distance = -1.0 * target_distance
    control = -CONTROL_WEIGHT * xp.sum(action**2, axis=-1)
    return distance + control, {"distance": distance, "control": control}
