# line 5, column 11: this divides by zero; write another divisor
# line 6, column 43: this divides by zero; write another divisor
# line 7, column 12: smooth_step of these numbers is not a real number; write other ones
def compute_reward(forward_velocity):
    run = 1.0 / xp.sin(0.0) + forward_velocity
    fast = xp.remainder(forward_velocity, xp.log(1.0))
    step = smooth_step(1.0, 2.0, 2.0)
    return run + fast + step, {"run": run}
