# line 5, column 5: with is not allowed; delete it and keep its body
# line 5, column 10: the function 'open' is unknown; functions: tolerance, smooth_step,
# line 5, column 15: strings are names of components only; write a number, or delete it
def compute_reward(forward_velocity):
    with open("/etc/passwd") as file:
        text = file
    return forward_velocity, {"run": forward_velocity}
