# line 2, column 28: 'prev_actoin' is not a variable of this task; did you mean 'prev_action'?
def compute_reward(action, prev_actoin):
    jerk = -xp.sum((action - prev_actoin) ** 2, axis=-1)
    return jerk, {"jerk": jerk}
