# line 3, column 12: the components stand before the total; write return total, {"name":
def compute_reward(forward_velocity):
    return {"run": forward_velocity}, forward_velocity
