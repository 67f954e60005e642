# line 3, column 13: '@' is not allowed; write xp.sum(a * b, axis=-1)
def compute_reward(joint_angles, action):
    power = joint_angles @ action
    return power, {"power": power}
