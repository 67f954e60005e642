HOP_WEIGHT = 1.0


def compute_reward(vertical_velocity, foot_height, forward_velocity, pitch):
    """Hopping is up and down: reward vertical speed and a high foot, and a little advance."""
    hop = HOP_WEIGHT * xp.minimum(xp.abs(vertical_velocity), 2.0)
    foot = xp.clip(foot_height - 0.06, 0.0, 0.5)
    advance = 0.2 * forward_velocity
    upright = 0.5 * smooth_step(xp.abs(pitch), 0.2, 0.0)
    total = hop + foot + advance + upright
    return total, {"hop": hop, "foot": foot, "advance": advance, "upright": upright}
