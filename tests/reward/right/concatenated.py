def compute_reward(forward_velocity, joint_velocities, action):
    everything = xp.concat([joint_velocities, action, forward_velocity[:, None]], axis=-1)
    power = xp.sum(xp.abs(joint_velocities * action), axis=1)
    top = xp.max(everything, axis=-1)
    return -power, {"power": power, "top": top, "spread": xp.std(everything, axis=-1)}
