# line 3, column 5: an array of shape (N, 3) cannot be unpacked into 3 names; pick entries: a, b =
def compute_reward(joint_angles):
    hip, knee, ankle = joint_angles
    return hip, {"hip": hip}
