SIDE_WEIGHT = 0.5
TURN_WEIGHT = 0.05


def compute_reward(forward_velocity, sideways_velocity, turning_velocity, torso_up, action):
    """Straight ahead: forward speed, less drifting sideways, turning and tilting."""
    forward = forward_velocity
    drift = -SIDE_WEIGHT * xp.abs(sideways_velocity)
    turning = -TURN_WEIGHT * xp.sum(turning_velocity**2, axis=-1)
    upright = smooth_step(torso_up, 0.0, 0.9)
    control = -0.1 * xp.sum(action**2, axis=-1)
    total = forward + drift + turning + upright + control
    return total, {
        "forward": forward,
        "drift": drift,
        "turning": turning,
        "upright": upright,
        "control": control,
    }
