# line 5, column 5: global is not allowed; pass values as arguments and return them
COUNT = 0.0

def compute_reward(forward_velocity):
    global COUNT
    return forward_velocity, {"run": forward_velocity}
