# line 3, column 5: del is not allowed; delete the line
def compute_reward(forward_velocity):
    del forward_velocity
    return 1.0, {"one": 1.0}
