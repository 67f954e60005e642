# line 4, column 5: arrays and dicts cannot be changed in place; build a new one:
def compute_reward(forward_velocity):
    parts = {"run": forward_velocity}
    parts["stand"] = 1.0
    return forward_velocity, parts
