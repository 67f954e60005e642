# line 6, column 11: scaled is not given 'by'; write scaled(x, by)
def scaled(x, by):
    return x * by

def compute_reward(forward_velocity):
    run = scaled(forward_velocity)
    return run, {"run": run}
