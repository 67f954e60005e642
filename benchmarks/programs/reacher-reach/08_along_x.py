def compute_reward(target_offset, action):
    """Align the fingertip with the target along x."""
    align = -1.0 * xp.abs(target_offset[:, 0])
    control = -0.05 * xp.sum(action**2, axis=-1)
    return align + control, {"align": align, "control": control}
