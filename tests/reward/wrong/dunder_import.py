# line 4, column 10: the name '__import__' is not allowed; delete it
# line 4, column 21: strings are names of components only; write a number, or delete it
def compute_reward(forward_velocity):
    os = __import__("os")
    return forward_velocity, {"run": forward_velocity}
