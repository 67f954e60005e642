# line 4, column 20: Python's 'len' is not available; write the number out: shapes are fixed
def compute_reward(joint_angles):
    bend = 0.0
    for i in range(len(joint_angles)):
        bend = bend + joint_angles[:, i]
    return bend, {"bend": bend}
