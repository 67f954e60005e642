# line 4, column 1: compute_reward ends without a return; end with return total, {"name":
BONUS = 0.0

def compute_reward(forward_velocity):
    if BONUS > 0.0:
        return forward_velocity, {"run": forward_velocity}
