# line 3, column 15: values have no attribute 'sum'; write xp.sum(x, axis=-1)
def compute_reward(action):
    effort = -(action ** 2).sum(axis=-1)
    return effort, {"effort": effort}
