TARGET_SPEED = 2.0
HALF_SPEED = TARGET_SPEED / 2.0
QUARTER_TURN = xp.pi / 2
LIMITS = (-0.2, 0.2)

def compute_reward(forward_velocity, pitch):
    low, high = LIMITS
    run = tolerance(forward_velocity, bounds=(TARGET_SPEED, xp.inf), margin=HALF_SPEED)
    upright = tolerance(pitch, bounds=LIMITS, margin=QUARTER_TURN, sigmoid="cosine")
    inside = xp.where((pitch > low) & (pitch < LIMITS[1]), 1.0, 0.0)
    return run * upright, {"run": run, "upright": upright, "inside": inside + 0.0 * high}
