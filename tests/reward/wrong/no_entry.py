# line 2, column 1: there is no function compute_reward; rename 'reward' to compute_reward
def reward(forward_velocity):
    return forward_velocity, {"run": forward_velocity}
