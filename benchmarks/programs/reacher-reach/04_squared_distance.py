def compute_reward(target_offset, action):
    """Minus the squared distance, and the control cost of the arm."""
    squared = -1.0 * xp.sum(target_offset**2, axis=-1)
    control = -0.02 * xp.sum(action**2, axis=-1)
    return squared + control, {"squared": squared, "control": control}
