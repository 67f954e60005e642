# line 3, column 56: the component 'run' is there twice; rename one of the two
def compute_reward(forward_velocity, pitch):
    return forward_velocity, {"run": forward_velocity, "run": pitch}
