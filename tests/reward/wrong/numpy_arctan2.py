# line 3, column 12: the module 'np' is not available; write xp.atan2(y, x)
def compute_reward(forward_velocity, vertical_velocity):
    lean = np.arctan2(vertical_velocity, forward_velocity)
    return lean, {"lean": lean}
