# line 4, column 11: the function 'eval' is unknown; functions: tolerance, smooth_step,
# line 4, column 16: strings are names of components only; write a number, or delete it
def compute_reward(forward_velocity):
    run = eval("forward_velocity")
    return run, {"run": run}
