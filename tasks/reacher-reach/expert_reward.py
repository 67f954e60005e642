DISTANCE_WEIGHT = 1.0
CONTROL_WEIGHT = 1.0


def compute_reward(target_distance, action):
    """Reacher-v5's published reward: be close to the target, spend little control."""
    distance = -DISTANCE_WEIGHT * target_distance
    control = -CONTROL_WEIGHT * xp.sum(action**2, axis=-1)
    return distance + control, {"distance": distance, "control": control}
