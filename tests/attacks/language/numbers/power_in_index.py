# refused: line 3, column 30: the exponent 3.8742e+08 is beyond 10; write a smaller one, or xp.exp(x
def compute_reward(joint_angles, pitch):
    p = joint_angles[:, 9 ** 9 ** 9]
    return pitch, {'p': pitch}
