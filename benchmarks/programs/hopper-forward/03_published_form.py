HEALTHY_BONUS = 1.0
CONTROL_WEIGHT = 0.002


def compute_reward(forward_velocity, torso_height, pitch, action):
    """Forward velocity, a bonus for being healthy, and a small control cost."""
    healthy = xp.where((torso_height > 0.7) & (xp.abs(pitch) < 0.2), HEALTHY_BONUS, 0.0)
    control = -CONTROL_WEIGHT * xp.sum(action**2, axis=-1)
    total = forward_velocity + healthy + control
    return total, {"forward": forward_velocity, "healthy": healthy, "control": control}
