TARGET = 1.0


def compute_reward(forward_velocity, pitch_velocity):
    """Travel at 1 m/s without swaying."""
    pace = 2.0 * tolerance(
        forward_velocity,
        bounds=(TARGET, TARGET),
        margin=1.0,
        sigmoid="linear",
        value_at_margin=0.0,
    )
    sway = -0.05 * xp.abs(pitch_velocity)
    return pace + sway + 0.2, {"pace": pace, "sway": sway}
