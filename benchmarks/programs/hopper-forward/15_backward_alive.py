def compute_reward(forward_velocity, pitch):
    """Stay alive and counter the forward drift that makes the robot tip over."""
    alive = 1.0 - xp.abs(pitch)
    counter = -1.0 * forward_velocity
    return alive + counter, {"alive": alive, "counter": counter}
