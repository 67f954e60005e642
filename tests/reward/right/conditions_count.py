def compute_reward(torso_height, pitch, forward_velocity):
    """Conditions in arithmetic count as 0 and 1."""
    score = (torso_height > 0.9) + (xp.abs(pitch) < 0.1) * 2.0 - (forward_velocity < 0.0)
    inverse = 1.0 - (torso_height > 0.9)
    both = (torso_height > 0.9) * (forward_velocity > 0.5)
    sign = -(pitch > 0.0)
    return score + both, {"score": score, "inverse": inverse, "both": both, "sign": sign}
