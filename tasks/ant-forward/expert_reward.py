FORWARD_WEIGHT = 1.0
HEALTHY_BONUS = 1.0
CONTROL_WEIGHT = 0.5
LOWEST_HEALTHY_HEIGHT = 0.2
HIGHEST_HEALTHY_HEIGHT = 1.0


def compute_reward(forward_velocity, torso_height, action):
    """Ant-v5's published reward without contact forces: forward, healthy, little control."""
    forward = FORWARD_WEIGHT * forward_velocity
    inside = (torso_height >= LOWEST_HEALTHY_HEIGHT) & (torso_height <= HIGHEST_HEALTHY_HEIGHT)
    healthy = xp.where(inside, HEALTHY_BONUS, 0.0)
    control = -CONTROL_WEIGHT * xp.sum(action**2, axis=-1)
    return forward + healthy + control, {
        "forward": forward,
        "healthy": healthy,
        "control": control,
    }
