# line 2, column 1: compute_reward ends without a return; end with return total, {"name":
def compute_reward(forward_velocity):
    run = xp.tanh(forward_velocity)
