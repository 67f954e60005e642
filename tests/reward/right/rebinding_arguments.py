def compute_reward(forward_velocity, action):
    action = xp.clip(action, -0.5, 0.5)
    forward_velocity = xp.clip(forward_velocity, None, 3.0)
    effort = -xp.mean(action * action, axis=-1)
    return forward_velocity + effort, {"run": forward_velocity, "effort": effort}
