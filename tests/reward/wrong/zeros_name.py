# line 3, column 40: xp.zeros is not available; write 0.0: numbers spread by themselves
def compute_reward(forward_velocity):
    run = xp.maximum(forward_velocity, xp.zeros(1000000000))
    return run, {"run": run}
