# line 3, column 12: xp.concatenate is not available; write xp.concat((a, b), axis=-1)
def compute_reward(joint_angles, action):
    both = xp.concatenate([joint_angles, action], axis=-1)
    effort = -xp.sum(both ** 2, axis=-1)
    return effort, {"effort": effort}
