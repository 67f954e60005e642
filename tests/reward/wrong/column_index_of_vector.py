# line 3, column 11: 2 indices for an array of shape (N,); leave the index out: there is one
def compute_reward(forward_velocity):
    run = forward_velocity[:, 0]
    return run, {"run": run}
