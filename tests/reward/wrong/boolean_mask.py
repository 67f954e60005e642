# line 3, column 11: a condition cannot be an index; write xp.where(condition, x, 0.0)
def compute_reward(forward_velocity):
    run = forward_velocity[forward_velocity > 0.0]
    return run, {"run": run}
