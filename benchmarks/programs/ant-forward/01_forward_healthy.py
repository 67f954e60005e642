FORWARD_WEIGHT = 2.0
HEALTHY_BONUS = 0.5
CONTROL_WEIGHT = 0.2


def compute_reward(forward_velocity, torso_height, torso_up, action):
    """Walk forward, stay on the feet, spend little control."""
    forward = FORWARD_WEIGHT * forward_velocity
    healthy = HEALTHY_BONUS * xp.where((torso_height > 0.3) & (torso_up > 0.5), 1.0, 0.0)
    control = -CONTROL_WEIGHT * xp.sum(action**2, axis=-1)
    total = forward + healthy + control
    return total, {"forward": forward, "healthy": healthy, "control": control}
