def compute_reward(pole_up, pole_velocity, cart_velocity):
    """Hold everything still, and preferably upright."""
    still = -0.5 * xp.abs(pole_velocity)
    parked = -0.5 * xp.abs(cart_velocity)
    upright = 0.5 * (1.0 + pole_up)
    return still + parked + upright, {"still": still, "parked": parked, "upright": upright}
