def compute_reward(pole_up, cart_position):
    """Bring the pole half way, to the horizontal, as a first stage."""
    stage = 1.0 - xp.abs(pole_up)
    centred = 0.2 * (1.0 - cart_position**2)
    return stage + centred, {"stage": stage, "centred": centred}
