# line 2, column 9: the constant 'PARTS' is a dict; write a number
PARTS = {"a": 1.0}

def compute_reward(forward_velocity):
    return forward_velocity, {"run": forward_velocity}
