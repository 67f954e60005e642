UPRIGHT_BONUS = 0.5
SPIN_WEIGHT = 0.05
SMOOTH_WEIGHT = 0.05


def compute_reward(forward_velocity, torso_up, pitch_velocity, action, prev_action):
    """Sprint while the torso stays level, and change the action gently."""
    run = xp.where(
        forward_velocity > 0.0, forward_velocity * smooth_step(torso_up, 0.0, 0.8), forward_velocity
    )
    level = UPRIGHT_BONUS * torso_up
    steady = -SPIN_WEIGHT * xp.abs(pitch_velocity)
    smooth = -SMOOTH_WEIGHT * xp.sum((action - prev_action) ** 2, axis=-1)
    total = run + level + steady + smooth
    return total, {"run": run, "level": level, "steady": steady, "smooth": smooth}
