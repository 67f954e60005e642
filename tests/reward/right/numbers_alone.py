RATE = 0.5

def compute_reward(forward_velocity):
    """Functions of numbers give numbers, on every backend."""
    scale = xp.exp(-RATE) + xp.tanh(2.0) + xp.sqrt(2) + xp.minimum(1, 2.0) + xp.clip(5, -1, 1)
    flag = xp.isfinite(scale)
    run = forward_velocity * scale + xp.where(forward_velocity > 0, 1, 0) + flag
    return run, {"run": run, "scale": scale, "flag": flag}
