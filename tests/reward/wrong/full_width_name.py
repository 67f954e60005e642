# line 3, column 11: the name 'ｘｐ' holds FULLWIDTH LATIN SMALL LETTER X; spell names with a-z,
def compute_reward(forward_velocity):
    run = ｘｐ.tanh(forward_velocity)
    return run, {"run": run}
