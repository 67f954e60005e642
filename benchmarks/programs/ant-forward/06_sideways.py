def compute_reward(sideways_velocity, torso_up):
    """Walk along the y axis with the torso up."""
    walk = sideways_velocity
    upright = 0.5 * torso_up
    return walk + upright, {"walk": walk, "upright": upright}
