# line 3, column 11: xp.sigmoid is not available; write 1.0 / (1.0 + xp.exp(-x))
def compute_reward(forward_velocity):
    run = xp.sigmoid(forward_velocity)
    return run, {"run": run}
