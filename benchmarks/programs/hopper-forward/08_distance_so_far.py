SCALE = 1.0


def compute_reward(forward_position):
    """Pay for the distance from the start at every step."""
    distance = SCALE * forward_position
    return distance, {"distance": distance}
