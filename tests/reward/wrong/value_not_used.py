# line 3, column 5: the value of this line is not used; assign it to a name, or delete it
def compute_reward(forward_velocity):
    xp.tanh(forward_velocity)
    return forward_velocity, {"run": forward_velocity}
