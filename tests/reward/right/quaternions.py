def turn_about_y(angle):
    zero = xp.zeros_like(angle)
    return xp.stack((xp.cos(angle / 2), zero, xp.sin(angle / 2), zero), axis=-1)

def compute_reward(pitch, joint_angles):
    torso = turn_about_y(pitch)
    foot = quaternion_multiply(torso, turn_about_y(joint_angles[:, 0]))
    up = quaternion_rotate(foot, xp.asarray((0.0, 0.0, 1.0)))[:, 2]
    back = quaternion_rotate(quaternion_conjugate(foot), joint_angles)
    angle = quaternion_angle(torso, foot)
    home = quaternion_angle(xp.asarray((1.0, 0.0, 0.0, 0.0)), foot)
    return up - angle, {"up": up, "angle": angle, "home": home, "back": back[:, 0]}
