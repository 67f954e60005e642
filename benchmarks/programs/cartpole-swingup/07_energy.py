GRAVITY_TERM = 20.0


def compute_reward(pole_up, pole_velocity):
    """Pump energy until it suffices for the upright position."""
    energy = 0.5 * pole_velocity**2 + GRAVITY_TERM * pole_up
    missing = xp.abs(energy - GRAVITY_TERM) / (2.0 * GRAVITY_TERM)
    return -missing, {"missing": -missing}
