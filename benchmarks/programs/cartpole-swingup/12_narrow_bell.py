WIDTH = 0.3
FORCE_WEIGHT = 0.1


def bell(x, width):
    return xp.exp(-((x / width) ** 2))


def compute_reward(pole_angle, cart_velocity, action):
    """A narrow bell around upright, less the force and the cart's speed."""
    near = bell(pole_angle, WIDTH)
    force = -FORCE_WEIGHT * xp.sum(action**2, axis=-1)
    drift = -0.02 * cart_velocity**2
    return near + force + drift, {"near": near, "force": force, "drift": drift}
