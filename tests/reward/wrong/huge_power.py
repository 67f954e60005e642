# line 3, column 31: the exponent 1000 is beyond 10; write a smaller one, or xp.exp(x)
def compute_reward(forward_velocity):
    run = forward_velocity ** 1000
    return run, {"run": run}
