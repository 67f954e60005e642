# line 3, column 15: xp.sum has no argument 'dim'; write axis=
def compute_reward(action):
    effort = -xp.sum(action ** 2, dim=-1)
    return effort, {"effort": effort}
