# line 3, column 11: '^' is not a power; write x ** 2, or xp.logical_xor(a, b) for conditions
def compute_reward(forward_velocity):
    run = forward_velocity ^ 2
    return run, {"run": run}
