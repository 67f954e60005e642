# line 5, column 5: the constant 'SCALE' cannot be assigned again; choose another name
SCALE = 2.0

def compute_reward(forward_velocity):
    SCALE = 3.0
    return forward_velocity * SCALE, {"run": forward_velocity}
