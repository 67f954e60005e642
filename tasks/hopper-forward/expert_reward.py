FORWARD_WEIGHT = 1.0
HEALTHY_BONUS = 1.0
CONTROL_WEIGHT = 0.001
LOWEST_HEALTHY_HEIGHT = 0.7
LARGEST_HEALTHY_PITCH = 0.2


def compute_reward(forward_velocity, torso_height, pitch, action):
    """Hopper-v5's published reward: move forward, stay healthy, spend little control."""
    forward = FORWARD_WEIGHT * forward_velocity
    standing = (torso_height > LOWEST_HEALTHY_HEIGHT) & (xp.abs(pitch) < LARGEST_HEALTHY_PITCH)
    healthy = xp.where(standing, HEALTHY_BONUS, 0.0)
    control = -CONTROL_WEIGHT * xp.sum(action**2, axis=-1)
    return forward + healthy + control, {
        "forward": forward,
        "healthy": healthy,
        "control": control,
    }
