# line 3, column 5: try is not allowed; guard the computation, such as xp.maximum(x, 1e-6)
def compute_reward(forward_velocity):
    try:
        run = 1.0 / forward_velocity
    except ZeroDivisionError:
        run = 0.0
    return run, {"run": run}
