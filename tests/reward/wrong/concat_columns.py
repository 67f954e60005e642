# line 3, column 16: xp.concat joins arrays along an axis that (N,) does not have; write
def compute_reward(forward_velocity, vertical_velocity):
    velocity = xp.concat([forward_velocity, vertical_velocity], axis=-1)
    return forward_velocity, {"run": forward_velocity}
