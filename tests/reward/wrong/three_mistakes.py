# line 5, column 11: the module 'np' is not available; write xp.tanh
# line 6, column 14: xp.sum without an axis mixes the rows of the batch; write axis=-1
# line 7, column 18: the name 'efort' is unknown; did you mean 'effort'? available: action,
def compute_reward(forward_velocity, action):
    run = np.tanh(forward_velocity)
    effort = xp.sum(action ** 2)
    return run - efort, {"run": run, "effort": effort}
