# line 2, column 1: imports are not allowed; delete it: xp and the helpers are there
from math import exp

def compute_reward(forward_velocity):
    run = xp.exp(-forward_velocity)
    return run, {"run": run}
