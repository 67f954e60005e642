# line 3, column 11: the function 'tanh' is unknown; write xp.tanh(...)
def compute_reward(forward_velocity):
    run = tanh(forward_velocity)
    return run, {"run": run}
