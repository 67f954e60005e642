# line 3, column 12: f-strings are not allowed; write the component's name out
def compute_reward(forward_velocity):
    name = f"run{1}"
    return forward_velocity, {"run": forward_velocity}
