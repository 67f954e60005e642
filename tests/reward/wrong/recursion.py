# line 3, column 12: the function 'again' calls itself; write for i in range(...)
def again(x):
    return again(x) * 0.5

def compute_reward(forward_velocity):
    run = again(forward_velocity)
    return run, {"run": run}
