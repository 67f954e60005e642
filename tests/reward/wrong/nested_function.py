# line 3, column 5: the function 'square' is defined inside another; define it at the top level
def compute_reward(forward_velocity):
    def square(x):
        return x * x
    return square(forward_velocity), {"run": forward_velocity}
