TARGET_SPEED = 3.0
SPEED_WEIGHT = 2.0
UPRIGHT_WEIGHT = 0.2


def compute_reward(forward_velocity, torso_up):
    """Reach a running speed of 3 m/s and keep it."""
    speed = SPEED_WEIGHT * tolerance(
        forward_velocity,
        bounds=(TARGET_SPEED, xp.inf),
        margin=TARGET_SPEED,
        sigmoid="linear",
        value_at_margin=0.0,
    )
    upright = UPRIGHT_WEIGHT * torso_up
    return speed + upright, {"speed": speed, "upright": upright}
