NOMINAL_HEIGHT = 0.57
VELOCITY_WEIGHT = 0.05


def compute_reward(forward_velocity, torso_height, torso_up, joint_angles):
    """Keep a good running posture above all; speed follows from it."""
    height = xp.exp(-20.0 * (torso_height - NOMINAL_HEIGHT) ** 2)
    level = torso_up
    legs = xp.exp(-xp.sum(joint_angles**2, axis=-1))
    speed = VELOCITY_WEIGHT * forward_velocity
    total = height + level + legs + speed
    return total, {"height": height, "level": level, "legs": legs, "speed": speed}
