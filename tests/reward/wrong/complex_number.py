# line 3, column 30: complex numbers are not allowed; write a real number
def compute_reward(forward_velocity):
    run = forward_velocity * 1j
    return run, {"run": run}
