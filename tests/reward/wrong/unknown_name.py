# line 4, column 12: the name 'rum' is unknown; did you mean 'run'? available: forward_velocity,
def compute_reward(forward_velocity):
    run = xp.tanh(forward_velocity)
    return rum, {"run": run}
