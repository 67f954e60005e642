CONTROL_STEP = 0.008

def compute_reward(torso_height, prev_torso_height, joint_velocities, prev_joint_velocities):
    rise = (torso_height - prev_torso_height) / CONTROL_STEP
    jerk = xp.linalg.vector_norm(joint_velocities - prev_joint_velocities, axis=-1)
    return rise - 0.1 * jerk, {"rise": rise, "jerk": -0.1 * jerk}
