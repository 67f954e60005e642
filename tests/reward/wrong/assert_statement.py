# line 3, column 5: assert is not allowed; delete it: shapes are checked beforehand
def compute_reward(forward_velocity):
    assert forward_velocity > 0
    return forward_velocity, {"run": forward_velocity}
