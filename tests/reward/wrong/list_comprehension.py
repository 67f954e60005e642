# line 3, column 13: comprehensions are not allowed; write the items out
def compute_reward(joint_angles):
    bends = [xp.abs(joint_angles[:, i]) for i in range(3)]
    total = xp.max(xp.stack(bends, axis=-1), axis=-1)
    return total, {"bend": total}
