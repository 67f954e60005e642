CONTROL_WEIGHT = 3.0


def compute_reward(forward_velocity, action, joint_velocities):
    """Forward, with the least energy."""
    energy = -CONTROL_WEIGHT * xp.sum(xp.abs(action * joint_velocities), axis=-1)
    return forward_velocity + energy, {"forward": forward_velocity, "energy": energy}
