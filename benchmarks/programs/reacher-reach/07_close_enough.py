CLOSE_ENOUGH = 0.1


def compute_reward(target_distance):
    """Within 10 cm is good enough: a full reward there, falling outside."""
    near = tolerance(target_distance, bounds=(0.0, CLOSE_ENOUGH), margin=0.2)
    return near, {"near": near}
