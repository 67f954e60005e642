# line 2, column 1: there is no function compute_reward; rename 'compute_rewards' to
def compute_rewards(forward_velocity):
    return forward_velocity, {"run": forward_velocity}
