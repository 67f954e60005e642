# line 3, column 14: xp.linalg.norm is not available; write xp.linalg.vector_norm(x, axis=-1)
def compute_reward(joint_velocities):
    speed = -xp.linalg.norm(joint_velocities, axis=-1)
    return speed, {"speed": speed}
