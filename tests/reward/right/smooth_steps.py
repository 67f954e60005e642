def compute_reward(torso_height, pitch, foot_height):
    up = smooth_step(torso_height, 0.7, 1.2)
    down = smooth_step(xp.abs(pitch), 0.2, 0.0)
    above = smooth_step(torso_height, foot_height, foot_height + 1.0)
    return up * down, {"up": up, "down": down, "above": above}
