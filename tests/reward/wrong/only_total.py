# line 3, column 12: compute_reward returns only the total, without its components; write return
def compute_reward(forward_velocity):
    return forward_velocity
