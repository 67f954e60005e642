# line 3, column 13: the name 'total' is read before it is assigned; assign it on a line above, on
def compute_reward(forward_velocity):
    total = total + forward_velocity
    return total, {"run": forward_velocity}
