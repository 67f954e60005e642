# line 4, column 5: one call runs more than 1,000 iterations; work on whole arrays: xp.sum(x,
def compute_reward(forward_velocity):
    run = forward_velocity
    for i in range(1000000):
        run = run * 0.5
    return run, {"run": run}
