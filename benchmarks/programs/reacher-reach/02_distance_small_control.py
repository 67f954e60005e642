def compute_reward(target_distance, action):
    """Minus the distance, with a small price for control."""
    distance = -1.0 * target_distance
    control = -0.1 * xp.sum(action**2, axis=-1)
    return distance + control, {"distance": distance, "control": control}
