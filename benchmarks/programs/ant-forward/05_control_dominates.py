CONTROL_WEIGHT = 5.0


def compute_reward(forward_velocity, torso_height, action):
    """Energy-saving walk."""
    alive = xp.where(torso_height > 0.25, 1.0, 0.0)
    control = -CONTROL_WEIGHT * xp.sum(action**2, axis=-1)
    return forward_velocity + alive + control, {
        "forward": forward_velocity,
        "alive": alive,
        "control": control,
    }
