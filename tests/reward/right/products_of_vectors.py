def compute_reward(joint_angles, joint_velocities, action):
    turn = xp.linalg.cross(joint_angles, joint_velocities)
    power = xp.vecdot(joint_velocities, action)
    work = xp.linalg.vecdot(turn, xp.asarray((0.0, 1.0, 0.0)), axis=-1)
    pairs = joint_angles[:, :, None] * action[:, None, :]
    mixed = xp.mean(xp.mean(pairs, axis=-1), axis=-1)
    return power + work, {"power": power, "work": work, "mixed": mixed}
