STANDING = 1.25


def compute_reward(torso_height, pitch, joint_velocities):
    """Stand tall, straight and still."""
    tall = xp.exp(-50.0 * (torso_height - STANDING) ** 2)
    straight = xp.exp(-100.0 * pitch**2)
    still = -0.02 * xp.sum(joint_velocities**2, axis=-1)
    return tall + straight + still, {"tall": tall, "straight": straight, "still": still}
