# line 3, column 11: Python's 'max' is not available; write xp.maximum(a, b), or xp.max(x,
def compute_reward(forward_velocity):
    run = max(forward_velocity, 0.0)
    return run, {"run": run}
