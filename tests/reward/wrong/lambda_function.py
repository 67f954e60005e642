# line 3, column 14: lambda is not allowed; define a function at the top level
def compute_reward(forward_velocity):
    square = lambda x: x * x
    return square(forward_velocity), {"run": forward_velocity}
