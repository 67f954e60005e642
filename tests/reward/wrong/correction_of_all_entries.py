# line 3, column 55: the correction is not less than the 3 entries; write correction=0
def compute_reward(joint_angles):
    spread = xp.std(joint_angles, axis=-1, correction=3.0)
    return spread, {"spread": spread}
