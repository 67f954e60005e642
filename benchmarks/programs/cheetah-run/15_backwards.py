def compute_reward(forward_velocity, action):
    """Penalise the distance that is left to run, taken as falling with negative velocity."""
    progress = -1.0 * forward_velocity
    control = -0.1 * xp.sum(action**2, axis=-1)
    return progress + control, {"progress": progress, "control": control}
