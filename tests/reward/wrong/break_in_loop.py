# line 6, column 9: break is not allowed; loop over the range that is meant
def compute_reward(joint_angles):
    bend = 0.0
    for i in range(3):
        bend = bend + joint_angles[:, i]
        break
    return bend, {"bend": bend}
