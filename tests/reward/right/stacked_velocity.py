def compute_reward(forward_velocity, vertical_velocity):
    velocity = xp.stack([forward_velocity, vertical_velocity, 0.5], axis=-1)
    speed = xp.linalg.vector_norm(velocity, axis=-1)
    blocks = xp.linalg.vector_norm(velocity[:, :2], axis=1, ord=1)
    direction = velocity / xp.maximum(speed, 1e-6)[:, None]
    return direction[:, 0], {"forward": direction[:, 0], "speed": speed, "blocks": blocks}
