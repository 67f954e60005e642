# line 3, column 11: this divides by zero; write another divisor
def compute_reward(forward_velocity):
    run = forward_velocity / 0.0
    return run, {"run": run}
