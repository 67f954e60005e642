def compute_reward(cart_position, cart_velocity):
    """Keep the cart in the middle and slow."""
    middle = 1.0 - cart_position**2
    slow = -0.1 * cart_velocity**2
    return middle + slow, {"middle": middle, "slow": slow}
