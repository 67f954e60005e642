# line 4, column 66: component 'effort' is an array of shape (N, 3), not (N,); sum it: xp.sum(...,
def compute_reward(forward_velocity, action):
    effort = -0.1 * action ** 2
    return forward_velocity, {"run": forward_velocity, "effort": effort}
