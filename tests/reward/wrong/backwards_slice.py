# line 3, column 12: the step -1 of the slice is not positive; write x[..., i]
def compute_reward(joint_angles):
    back = joint_angles[:, ::-1]
    return back[:, 0], {"back": back[:, 0]}
