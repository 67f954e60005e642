# line 2, column 1: the constant 'scale' is not in upper case; write SCALE, or move it into
scale = 2.0

def compute_reward(forward_velocity):
    return forward_velocity * scale, {"run": forward_velocity}
