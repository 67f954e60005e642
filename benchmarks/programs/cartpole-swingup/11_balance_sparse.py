CLOSE = 0.1


def compute_reward(pole_angle, cart_position):
    """A point while the pole is within 0.1 rad of upright and the cart within 0.3 m."""
    balanced = (xp.abs(pole_angle) < CLOSE) & (xp.abs(cart_position) < 0.3)
    point = xp.where(balanced, 1.0, 0.0)
    return point, {"point": point}
