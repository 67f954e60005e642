def compute_reward(forward_velocity, torso_heading, torso_height):
    """Face forward, keep the height, and move against the velocity error."""
    heading = 0.3 * torso_heading
    error = -1.0 * forward_velocity
    alive = 0.5 * (torso_height > 0.25)
    return heading + error + alive, {"heading": heading, "error": error, "alive": alive}
