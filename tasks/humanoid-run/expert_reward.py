FORWARD_WEIGHT = 1.25
HEALTHY_BONUS = 5.0
CONTROL_WEIGHT = 0.1
CONTROL_RANGE = 0.4
LOWEST_HEALTHY_HEIGHT = 1.0
HIGHEST_HEALTHY_HEIGHT = 2.0


def compute_reward(forward_velocity, torso_height, action):
    """Humanoid-v5's published reward without contact forces: forward, healthy, little control."""
    forward = FORWARD_WEIGHT * forward_velocity
    inside = (torso_height > LOWEST_HEALTHY_HEIGHT) & (torso_height < HIGHEST_HEALTHY_HEIGHT)
    healthy = xp.where(inside, HEALTHY_BONUS, 0.0)
    control = -CONTROL_WEIGHT * xp.sum((CONTROL_RANGE * action) ** 2, axis=-1)
    return forward + healthy + control, {
        "forward": forward,
        "healthy": healthy,
        "control": control,
    }
