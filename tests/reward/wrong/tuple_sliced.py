# line 4, column 25: one whole number picks from a tuple or list of 2; write t[0]
# line 5, column 21: one whole number picks from a tuple or list of 1; write t[0]
def compute_reward(pitch, joint_angles):
    part = (pitch, 1.0)[0:1]
    both = (pitch,)[...]
    return xp.sum(part[0]), {"pitch": both[0]}
