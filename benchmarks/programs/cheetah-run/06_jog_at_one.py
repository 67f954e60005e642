JOGGING = 1.0


def compute_reward(forward_velocity, torso_height, torso_up):
    """Hold a comfortable jog of 1 m/s with the torso at its usual height."""
    jog = tolerance(forward_velocity, bounds=(JOGGING, JOGGING), margin=1.0, sigmoid="long_tail")
    height = 0.2 * tolerance(torso_height, bounds=(0.5, 0.7), margin=0.3)
    level = 0.2 * torso_up
    return jog + height + level, {"jog": jog, "height": height, "level": level}
