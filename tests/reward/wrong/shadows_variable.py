# line 3, column 5: 'torso_height' is a variable of the task, but not an argument; add it to the
def compute_reward(forward_velocity):
    torso_height = 1.25
    return forward_velocity * torso_height, {"run": forward_velocity}
