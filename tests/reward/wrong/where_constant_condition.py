# line 5, column 20: the condition of xp.where is the same for every row; write a if CONDITION
FAST = 1.0

def compute_reward(forward_velocity):
    run = xp.where(FAST > 0.5, forward_velocity, 0.0)
    return run, {"run": run}
