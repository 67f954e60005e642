def compute_reward(target_distance, action):
    """The distance to the target, and little control."""
    distance = 1.0 * target_distance
    control = -0.1 * xp.sum(action**2, axis=-1)
    return distance + control, {"distance": distance, "control": control}
