# line 4, column 5: while loops are not allowed; write for i in range(...) with numbers
def compute_reward(forward_velocity):
    i = 0
    while i < 3:
        i += 1
    return forward_velocity, {"run": forward_velocity}
