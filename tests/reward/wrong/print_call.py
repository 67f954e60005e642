# line 3, column 5: Python's 'print' is not available; delete it: return what you want to see as a
def compute_reward(forward_velocity):
    print(forward_velocity)
    return forward_velocity, {"run": forward_velocity}
