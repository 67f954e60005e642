PROGRESS_WEIGHT = 50.0


def compute_reward(target_distance, prev_target_distance):
    """Pay for every millimetre that the fingertip comes closer."""
    progress = PROGRESS_WEIGHT * (prev_target_distance - target_distance)
    return progress, {"progress": progress}
