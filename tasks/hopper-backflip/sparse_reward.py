UPRIGHT_HEIGHT = 0.7


def compute_reward(pitch, prev_pitch, torso_height):
    """1 when the torso comes past upright turning backward, high up; -1 when turning forward.

    Rocking to and fro passes upright both ways and gains nothing; a back flip gains 1.
    """
    near = xp.abs(pitch - prev_pitch) < 1.0
    backward = near & (prev_pitch > 0.0) & (pitch <= 0.0) & (torso_height > UPRIGHT_HEIGHT)
    forward = near & (prev_pitch <= 0.0) & (pitch > 0.0)
    flipped = xp.where(backward, 1.0, 0.0)
    undone = xp.where(forward, -1.0, 0.0)
    return flipped + undone, {"flipped": flipped, "undone": undone}
