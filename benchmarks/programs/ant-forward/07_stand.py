def compute_reward(torso_height, torso_up, joint_velocities):
    """Stand on four legs and do not fall."""
    height = xp.exp(-30.0 * (torso_height - 0.55) ** 2)
    upright = torso_up
    still = -0.01 * xp.sum(joint_velocities**2, axis=-1)
    return height + upright + still, {"height": height, "upright": upright, "still": still}
