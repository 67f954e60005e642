# line 1, column 1: there is no function compute_reward; define def compute_reward(...): that
# nothing but a comment
