# line 3, column 30: xp.mean without an axis mixes the rows of the batch; leave it out: there is
def compute_reward(forward_velocity):
    run = forward_velocity - xp.mean(forward_velocity)
    return run, {"run": run}
