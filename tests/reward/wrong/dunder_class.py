# line 3, column 11: the attribute '__class__' is not allowed; only xp.NAME is allowed
def compute_reward(forward_velocity):
    run = forward_velocity.__class__
    return run, {"run": run}
