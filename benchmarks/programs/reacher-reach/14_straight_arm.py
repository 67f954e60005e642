def compute_reward(joint_angles, target_distance):
    """Keep the arm stretched and calm, the configuration with the longest reach."""
    stretched = -1.0 * xp.sum(joint_angles**2, axis=-1)
    distance = -0.1 * target_distance
    return stretched + distance, {"stretched": stretched, "distance": distance}
