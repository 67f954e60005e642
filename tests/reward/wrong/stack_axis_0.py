# line 3, column 16: xp.stack along axis 0 puts the batch second; write axis=-1
def compute_reward(forward_velocity, vertical_velocity):
    velocity = xp.stack([forward_velocity, vertical_velocity])
    speed = xp.linalg.vector_norm(velocity, axis=0)
    return speed, {"speed": speed}
