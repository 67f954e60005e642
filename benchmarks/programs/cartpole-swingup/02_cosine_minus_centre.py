CENTRE_WEIGHT = 0.3


def compute_reward(pole_up, cart_position):
    """The cosine of the angle, less the square of the cart's distance from the middle."""
    off_centre = -CENTRE_WEIGHT * cart_position**2
    return pole_up + off_centre, {"up": pole_up, "off_centre": off_centre}
