# line 5, column 9: the loop variable must be one name; write for i in range(...)
# line 5, column 21: a loop over enumerate(...) is not allowed; write for i in range(...) with
def compute_reward(joint_angles):
    bend = 0.0
    for i, angle in enumerate(joint_angles):
        bend = bend + angle
    return bend, {"bend": bend}
