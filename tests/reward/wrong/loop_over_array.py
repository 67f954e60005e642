# line 4, column 18: a loop runs over range(...) only; write for i in range(...) with numbers
def compute_reward(joint_angles):
    bend = 0.0
    for angle in joint_angles:
        bend = bend + angle
    return bend, {"bend": bend}
