# line 3, column 12: ':=' is not allowed; assign on a line of its own
def compute_reward(forward_velocity):
    run = (fast := forward_velocity * 2.0)
    return run, {"run": run}
