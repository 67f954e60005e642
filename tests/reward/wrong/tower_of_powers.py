# line 3, column 35: the exponent 3.8742e+08 is beyond 10; write a smaller one, or xp.exp(x)
def compute_reward(forward_velocity):
    run = forward_velocity * 9 ** 9 ** 9
    return run, {"run": run}
