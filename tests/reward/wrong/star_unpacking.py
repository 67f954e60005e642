# line 3, column 10: '*' before a value is not allowed; write the items out
def compute_reward(joint_angles):
    hip, *rest = joint_angles[:, 0], joint_angles[:, 1], joint_angles[:, 2]
    return hip, {"hip": hip}
