# line 3, column 31: the exponent is not a constant; write xp.exp(y * xp.log(x)), for x > 0
def compute_reward(forward_velocity, pitch):
    run = forward_velocity ** pitch
    return run, {"run": run}
