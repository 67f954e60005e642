# line 2, column 20: 'forward_speed' is not a variable of this task; did you mean
def compute_reward(forward_speed):
    return forward_speed, {"run": forward_speed}
