# line 5, column 1: only constants and functions stand at the top level; move it into
def compute_reward(forward_velocity):
    return forward_velocity, {"run": forward_velocity}

if __name__ == "__main__":
    compute_reward(1.0)
