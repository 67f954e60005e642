BALANCED_ANGLE = 0.2
STILL_VELOCITY = 0.5
CENTRED_POSITION = 0.5


def compute_reward(pole_angle, pole_velocity, cart_position):
    """1 while the pole is balanced: upright, at rest, and near the middle of the rail; else 0."""
    upright = xp.abs(pole_angle) < BALANCED_ANGLE
    still = xp.abs(pole_velocity) < STILL_VELOCITY
    centred = xp.abs(cart_position) < CENTRED_POSITION
    balanced = xp.where(upright & still & centred, 1.0, 0.0)
    return balanced, {"balanced": balanced}
