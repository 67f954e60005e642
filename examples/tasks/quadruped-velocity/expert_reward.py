def compute_reward(
    tracking_error,
    trunk_up,
    linear_velocity,
    angular_velocity,
    air_time,
    foot_contact,
    action,
    prev_air_time,
    prev_action,
    joint_velocities,
):
    """Follow the command, keep the trunk level, step with swings of about 0.2 s, move smoothly."""
    track = xp.exp(-(tracking_error[:, 0] ** 2 + tracking_error[:, 1] ** 2) / 0.1)
    turn = 0.5 * xp.exp(-(tracking_error[:, 2] ** 2) / 0.1)
    level = -1.0 * (trunk_up[:, 0] ** 2 + trunk_up[:, 1] ** 2)
    bounce = -0.5 * linear_velocity[:, 2] ** 2
    sway = -0.02 * (angular_velocity[:, 0] ** 2 + angular_velocity[:, 1] ** 2)
    landed = foot_contact * (prev_air_time > 0.0)
    steps = 0.5 * xp.sum(xp.where(landed > 0.0, prev_air_time - 0.15, 0.0), axis=-1)
    smooth = -0.01 * xp.sum((action - prev_action) ** 2, axis=-1)
    effort = -0.0002 * xp.sum(joint_velocities**2, axis=-1)
    total = 0.2 + track + turn + level + bounce + sway + steps + smooth + effort
    return total, {
        "track": track,
        "turn": turn,
        "level": level,
        "bounce": bounce,
        "sway": sway,
        "steps": steps,
        "smooth": smooth,
        "effort": effort,
    }
