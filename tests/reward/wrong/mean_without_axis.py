# line 3, column 15: xp.mean without an axis mixes the rows of the batch; write axis=-1
def compute_reward(action):
    effort = -xp.mean(action ** 2)
    return effort, {"effort": effort}
