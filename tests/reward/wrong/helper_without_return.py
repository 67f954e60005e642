# line 2, column 1: the function 'square' ends without a return; end with return value
def square(x):
    y = x * x

def compute_reward(forward_velocity):
    run = square(forward_velocity)
    return run, {"run": run}
