def square(x):
    return x * x

def norm(x, y):
    return xp.sqrt(square(x) + square(y))

def compute_reward(forward_velocity, vertical_velocity):
    speed = norm(forward_velocity, vertical_velocity)
    return speed, {"speed": speed}
