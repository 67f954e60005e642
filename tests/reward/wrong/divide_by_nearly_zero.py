# line 3, column 11: this divides by 1e-40, which is as good as zero; write another divisor
def compute_reward(forward_velocity):
    run = forward_velocity % 1e-40
    return run, {"run": run}
