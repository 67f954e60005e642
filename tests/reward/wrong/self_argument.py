# line 2, column 20: 'self' is not a variable of this task; delete it: the program is a plain
def compute_reward(self, forward_velocity):
    return forward_velocity, {"run": forward_velocity}
