# line 5, column 9: one call runs more than 1,000 iterations; work on whole arrays: xp.sum(x,
def compute_reward(forward_velocity):
    run = forward_velocity
    for i in range(40):
        for j in range(40):
            run = run * 0.5
    return run, {"run": run}
