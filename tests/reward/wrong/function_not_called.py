# line 3, column 9: the function xp.tanh is not called; write xp.tanh(...)
def compute_reward(forward_velocity):
    f = xp.tanh
    return forward_velocity, {"run": forward_velocity}
