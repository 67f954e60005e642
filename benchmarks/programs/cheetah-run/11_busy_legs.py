ACTIVITY_SCALE = 10.0


def compute_reward(joint_velocities, torso_up):
    """Running means fast legs: reward how fast the joints move."""
    activity = xp.mean(xp.abs(joint_velocities), axis=-1) / ACTIVITY_SCALE
    level = 0.1 * torso_up
    return activity + level, {"activity": activity, "level": level}
