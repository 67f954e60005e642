# line 3, column 30: this is not a real number; write another one
def compute_reward(forward_velocity):
    run = forward_velocity * (-8.0) ** 0.5
    return run, {"run": run}
