FORCE_WEIGHT = 1.0


def compute_reward(pole_up, cart_position, action):
    """Upright and centred, with as little force as possible."""
    upright = (1.0 + pole_up) / 2.0
    force = -FORCE_WEIGHT * xp.sum(action**2, axis=-1)
    centred = -0.1 * cart_position**2
    return upright + force + centred, {"upright": upright, "force": force, "centred": centred}
