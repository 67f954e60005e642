SCALE = 0.25


def compute_reward(forward_velocity):
    """Reward speed progressively: its square, signed."""
    speed = SCALE * xp.sign(forward_velocity) * forward_velocity**2
    return speed, {"speed": speed}
