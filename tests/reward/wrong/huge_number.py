# line 3, column 30: the number is larger than 1e9; write a smaller one, or xp.inf as a bound
def compute_reward(forward_velocity):
    run = forward_velocity * 1e12
    return run, {"run": run}
