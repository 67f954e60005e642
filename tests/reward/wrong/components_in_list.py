# line 3, column 30: the components are a tuple or list of 1, not a dict; write {"name":
def compute_reward(forward_velocity):
    return forward_velocity, [forward_velocity]
