# line 3, column 15: xp.clip has no argument 'out'; write xp.clip(x, min, max)
def compute_reward(action):
    clipped = xp.clip(action, -1.0, 1.0, out=action)
    effort = xp.sum(clipped, axis=-1)
    return effort, {"effort": effort}
