# line 3, column 1: imports are not allowed; delete it: xp and the helpers are there
# line 6, column 11: the module 'np' is not available; write xp.tanh
import numpy as np

def compute_reward(forward_velocity):
    run = np.tanh(forward_velocity)
    return run, {"run": run}
