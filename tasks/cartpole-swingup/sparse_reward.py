BALANCED_ANGLE = 0.2


def compute_reward(pole_angle):
    """1 while the pole is balanced upright, else 0."""
    balanced = xp.where(xp.abs(pole_angle) < BALANCED_ANGLE, 1.0, 0.0)
    return balanced, {"balanced": balanced}
