# line 3, column 12: compute_reward returns 3 values, not total and components; write return
def compute_reward(forward_velocity, pitch):
    return forward_velocity, pitch, {"run": forward_velocity}
