STROLL = 0.5


def compute_reward(forward_velocity, torso_height):
    """Stroll at half a metre per second at standing height."""
    pace = tolerance(forward_velocity, bounds=(STROLL, STROLL), margin=0.5)
    standing = 0.3 * tolerance(torso_height, bounds=(0.4, 0.7), margin=0.2)
    return pace + standing, {"pace": pace, "standing": standing}
