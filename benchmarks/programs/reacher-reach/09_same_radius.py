def compute_reward(fingertip_position, target_position):
    """Reach out as far from the shoulder as the target is."""
    reach = xp.linalg.vector_norm(fingertip_position, axis=-1)
    wanted = xp.linalg.vector_norm(target_position, axis=-1)
    radius = -xp.abs(reach - wanted)
    return radius, {"radius": radius}
