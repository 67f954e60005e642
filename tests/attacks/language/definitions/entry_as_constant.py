# refused: line 1, column 1: there is no function compute_reward; define def compute_reward(...): th
compute_reward = 1.0
