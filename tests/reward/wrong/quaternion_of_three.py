# line 3, column 32: quaternion_rotate needs 4 entries in 'q', not the shape (N, 3); pass (N, 4)
def compute_reward(joint_angles, action):
    turned = quaternion_rotate(joint_angles, action)
    up = turned[:, 2]
    return up, {"up": up}
