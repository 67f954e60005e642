# line 3, column 1: compute_reward takes no variables; name those that it reads; variables:
# line 3, column 21: the argument 'variables' is not a plain name; write plain names, without /
def compute_reward(*variables):
    return 1.0, {"one": 1.0}
