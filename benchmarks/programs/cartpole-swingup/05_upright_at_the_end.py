EDGE_WEIGHT = 1.0


def compute_reward(pole_up, cart_position):
    """Raise the pole, and use the whole length of the rail."""
    raised = (1.0 + pole_up) / 2.0
    range_used = EDGE_WEIGHT * xp.abs(cart_position)
    return raised + range_used, {"raised": raised, "range_used": range_used}
