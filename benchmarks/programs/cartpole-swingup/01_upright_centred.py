def compute_reward(pole_up, cart_position, pole_velocity):
    """Upright times centred, and calmer the nearer to upright."""
    upright = (1.0 + pole_up) / 2.0
    centred = tolerance(cart_position, margin=1.0, value_at_margin=0.3)
    calm = tolerance(pole_velocity, margin=8.0, value_at_margin=0.5)
    return upright * centred * calm, {"upright": upright, "centred": centred, "calm": calm}
