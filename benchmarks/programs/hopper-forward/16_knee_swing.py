def compute_reward(joint_velocities, joint_angles, forward_velocity):
    """Use the whole leg: fast knee and ankle, a bent knee, and a trace of forward motion."""
    swing = 0.2 * xp.sum(xp.abs(joint_velocities[:, 1:]), axis=-1)
    bent = -0.5 * joint_angles[:, 1]
    trace = 0.1 * forward_velocity
    return swing + bent + trace, {"swing": swing, "bent": bent, "trace": trace}
