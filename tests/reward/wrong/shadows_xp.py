# line 3, column 5: the name 'xp' means something already; choose another name
def compute_reward(forward_velocity):
    xp = forward_velocity
    return xp, {"run": xp}
