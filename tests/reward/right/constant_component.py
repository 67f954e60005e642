ALIVE = 0.5

def compute_reward(forward_velocity):
    alive = ALIVE
    return forward_velocity + alive, {"run": forward_velocity, "alive": alive}
