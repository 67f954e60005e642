def compute_reward(tracking_error):
    """One for every step in which the command is followed closely."""
    close = xp.where(xp.max(xp.abs(tracking_error), axis=-1) < 0.15, 1.0, 0.0)
    return close, {"close": close}
