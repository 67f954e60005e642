CREEP = 0.4


def compute_reward(forward_velocity, joint_velocities):
    """Move forward carefully, without hasty legs."""
    creep = 1.0 - xp.abs(forward_velocity - CREEP)
    calm = -0.002 * xp.sum(joint_velocities**2, axis=-1)
    return creep + calm, {"creep": creep, "calm": calm}
