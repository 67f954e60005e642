SPEED_SCALE = 2.0


def compute_reward(forward_velocity, torso_height, pitch):
    """Speed counts only while the torso is high and upright, and standing has a small bonus."""
    upright = tolerance(pitch, bounds=(-0.05, 0.05), margin=0.15)
    high = smooth_step(torso_height, 0.8, 1.1)
    stand = 0.5 * upright * high
    run = 2.0 * xp.tanh(forward_velocity / SPEED_SCALE) * upright * high
    return run + stand, {"run": run, "stand": stand}
