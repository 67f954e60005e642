# line 3, column 27: xp.asarray takes numbers only; write xp.stack((a, b), axis=-1) for arrays
def compute_reward(forward_velocity, vertical_velocity):
    velocity = xp.asarray([forward_velocity, vertical_velocity])
    return forward_velocity, {"run": forward_velocity}
