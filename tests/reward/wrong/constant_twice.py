# line 3, column 1: the constant 'SCALE' is defined twice; delete one of the two
SCALE = 2.0
SCALE = 3.0

def compute_reward(forward_velocity):
    return forward_velocity * SCALE, {"run": forward_velocity}
