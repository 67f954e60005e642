# line 3, column 31: a component's name is not a string literal; write {"name": value}
def compute_reward(forward_velocity):
    return forward_velocity, {forward_velocity: forward_velocity}
