def compute_reward(pole_angle, pole_velocity, action):
    """The classic pendulum cost: angle, velocity and torque, squared."""
    angle = -1.0 * pole_angle**2
    velocity = -0.1 * pole_velocity**2
    effort = -0.001 * xp.sum(action**2, axis=-1)
    return angle + velocity + effort, {"angle": angle, "velocity": velocity, "effort": effort}
