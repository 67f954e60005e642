# line 4, column 12: Python's 'sum' is not available; write a + b, or xp.sum(x, axis=-1) over the
# line 4, column 15: generator expressions are not allowed; write the sum out, or xp.sum(...,
def compute_reward(joint_angles):
    bend = sum(joint_angles[:, i] for i in range(3))
    return bend, {"bend": bend}
