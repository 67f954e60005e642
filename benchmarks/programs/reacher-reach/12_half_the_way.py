def compute_reward(fingertip_position, target_position):
    """Aim at a waypoint: the middle between shoulder and target."""
    waypoint = 0.5 * target_position
    gap = xp.linalg.vector_norm(fingertip_position - waypoint, axis=-1)
    return -gap, {"gap": -gap}
