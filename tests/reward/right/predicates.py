def compute_reward(forward_velocity, joint_angles):
    safe = xp.isfinite(forward_velocity) & ~xp.isnan(forward_velocity) & ~xp.isinf(forward_velocity)
    straight = xp.all(xp.abs(joint_angles) < 0.5, axis=-1)
    bent = xp.any(joint_angles < -0.5, axis=-1)
    back = xp.signbit(forward_velocity)
    score = xp.where(safe & straight, 1.0, xp.where(bent, -1.0, 0.0))
    return score, {"score": score, "back": back, "count": xp.sum(joint_angles > 0.0, axis=-1)}
