# line 2, column 1: only constants and functions stand at the top level; move it into
print("hello")

def compute_reward(forward_velocity):
    return forward_velocity, {"run": forward_velocity}
