# line 3, column 11: the shapes (N,) and (N, 3) do not go together; reduce the wider one
def compute_reward(forward_velocity, action):
    run = forward_velocity * action
    return xp.sum(run, axis=-1), {"run": forward_velocity}
