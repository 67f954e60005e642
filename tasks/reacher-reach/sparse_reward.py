REACHED_DISTANCE = 0.02


def compute_reward(target_distance):
    """1 while the fingertip is at the target, else 0."""
    reached = xp.where(target_distance < REACHED_DISTANCE, 1.0, 0.0)
    return reached, {"reached": reached}
