CLEARANCE = 0.04


def compute_reward(target_distance, joint_velocities):
    """Come near without touching: hold 4 cm of clearance."""
    hover = -xp.abs(target_distance - CLEARANCE)
    slow = -0.0005 * xp.sum(joint_velocities**2, axis=-1)
    return hover + slow, {"hover": hover, "slow": slow}
