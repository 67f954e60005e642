# line 3, column 5: match is not allowed; write xp.where(condition, a, b)
def compute_reward(forward_velocity):
    match forward_velocity:
        case 0:
            run = 0.0
        case _:
            run = 1.0
    return run, {"run": run}
