SPEED_WEIGHT = 0.05


def compute_reward(target_distance, joint_velocities):
    """Approach the target, with strictly limited joint speeds."""
    distance = -1.0 * target_distance
    speed = -SPEED_WEIGHT * xp.sum(joint_velocities**2, axis=-1)
    return distance + speed, {"distance": distance, "speed": speed}
