# line 5, column 9: the number is too large; write a smaller one
def compute_reward(forward_velocity):
    a = 10
    for i in range(100):
        a *= a
    run = forward_velocity * a
    return run, {"run": run}
