# line 2, column 1: compute_reward takes no variables; name those that it reads; variables:
def compute_reward():
    return 1.0, {"one": 1.0}
