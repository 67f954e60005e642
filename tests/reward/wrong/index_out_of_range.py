# line 3, column 11: the index 3 is out of range for 3 entries; write 0 to 2
def compute_reward(joint_angles):
    toe = joint_angles[:, 3]
    return toe, {"toe": toe}
