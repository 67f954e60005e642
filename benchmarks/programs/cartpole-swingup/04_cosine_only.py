def compute_reward(pole_up):
    """How upright the pole is."""
    return pole_up, {"up": pole_up}
