FORWARD_WEIGHT = 1.0
HEALTHY_BONUS = 1.0

def compute_reward(forward_velocity, torso_height, pitch, action):
    """Hopper's published reward."""
    standing = (torso_height > 0.7) & (xp.abs(pitch) < 0.2)
    healthy = xp.where(standing, HEALTHY_BONUS, 0.0)
    control = -1e-3 * xp.sum(xp.square(action), axis=-1)
    forward = FORWARD_WEIGHT * forward_velocity
    return forward + healthy + control, {
        "forward": forward, "healthy": healthy, "control": control,
    }
