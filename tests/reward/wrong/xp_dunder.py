# line 3, column 11: xp.__dict__ is not available; see the functions of xp that are listed
def compute_reward(forward_velocity):
    run = xp.__dict__
    return forward_velocity, {"run": forward_velocity}
