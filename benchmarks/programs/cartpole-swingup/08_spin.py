def compute_reward(pole_velocity, cart_position):
    """Swing the pole as strongly as possible to bring it up."""
    swing = xp.abs(pole_velocity) / 10.0
    centred = -0.2 * xp.abs(cart_position)
    return swing + centred, {"swing": swing, "centred": centred}
