def compute_reward(pitch, joint_angles):
    turned = wrap_angle(pitch + 10.0)
    joints = xp.sum(xp.abs(wrap_angle(joint_angles * 3.0)), axis=-1)
    half = wrap_angle(3.0)
    return xp.cos(turned) - 0.01 * joints * half, {"cos": xp.cos(turned), "joints": joints}
