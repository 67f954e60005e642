def compute_reward(pole_up, cart_position):
    """The pole is up when it is above the horizontal."""
    above = xp.where(pole_up > 0.0, 1.0, 0.0)
    on_rail = -0.1 * xp.abs(cart_position)
    return above + on_rail, {"above": above, "on_rail": on_rail}
