# line 3, column 30: there are no components; write {"name": component}
def compute_reward(forward_velocity):
    return forward_velocity, {}
