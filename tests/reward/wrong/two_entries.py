# line 5, column 1: the function 'compute_reward' is defined twice; delete one of the two
def compute_reward(forward_velocity):
    return forward_velocity, {"run": forward_velocity}

def compute_reward(pitch):
    return pitch, {"lean": pitch}
