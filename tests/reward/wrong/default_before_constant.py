# line 2, column 18: the name 'SCALE' is read before it is assigned; assign it on a line above, on
def scaled(x, by=SCALE):
    return x * by

SCALE = 2.0

def compute_reward(forward_velocity):
    run = scaled(forward_velocity)
    return run, {"run": run}
