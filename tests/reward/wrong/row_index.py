# line 3, column 11: the index picks one row of the batch; write x[:, 0] for the first entry of
def compute_reward(joint_angles):
    hip = joint_angles[0]
    return hip, {"hip": hip}
