# line 3, column 13: the shapes (N, 1) and (N,) do not go together; reduce the wider one
def compute_reward(forward_velocity, pitch):
    mixed = forward_velocity[:, None] * pitch
    run = xp.sum(mixed, axis=-1)
    return run, {"run": run}
