# line 2, column 2: decorators are not allowed; delete it
@jit
def compute_reward(forward_velocity):
    return forward_velocity, {"run": forward_velocity}
