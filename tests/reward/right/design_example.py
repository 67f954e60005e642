SPEED_SCALE = 3.0                     # upper-case numbers are tunable constants

def compute_reward(forward_velocity, torso_height, action, prev_action):
    """Run forward without falling, smoothly."""
    run = xp.tanh(forward_velocity / SPEED_SCALE)
    upright = tolerance(torso_height, bounds=(0.9, 1.5), margin=0.5)
    smooth = -0.05 * xp.sum((action - prev_action) ** 2, axis=-1)
    return run * upright + smooth, {"run": run, "upright": upright, "smooth": smooth}
