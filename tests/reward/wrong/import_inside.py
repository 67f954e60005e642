# line 3, column 5: imports are not allowed; delete it: xp and the helpers are there
def compute_reward(forward_velocity):
    import os
    return forward_velocity, {"run": forward_velocity}
