def compute_reward(joint_angles, forward_velocity):
    first = joint_angles[:, 0]
    last = joint_angles[..., -1]
    outer = joint_angles[:, ::2]
    kept = joint_angles[:, 1:2][:, 0]
    column = forward_velocity[:, xp.newaxis][:, 0]
    everything = forward_velocity[:] + forward_velocity[...]
    wide = xp.expand_dims(forward_velocity, axis=-1) + joint_angles
    narrow = xp.squeeze(joint_angles[:, :1], axis=-1)
    total = first + last + xp.sum(outer, axis=-1) + kept + column + everything + narrow
    return total, {"total": total, "wide": xp.min(wide, axis=-1)}
