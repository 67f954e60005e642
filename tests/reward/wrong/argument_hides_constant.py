# line 4, column 15: the argument 'SCALE' hides the constant of that name; choose another name
SCALE = 2.0

def scaled(x, SCALE):
    return x * SCALE

def compute_reward(forward_velocity):
    run = scaled(forward_velocity, 2.0)
    return run, {"run": run}
