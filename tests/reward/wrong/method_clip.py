# line 3, column 11: values have no attribute 'clip'; write xp.clip(x, low, high)
def compute_reward(forward_velocity):
    run = forward_velocity.clip(-1.0, 1.0)
    return run, {"run": run}
