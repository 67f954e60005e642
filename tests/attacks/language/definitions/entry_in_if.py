# refused: line 1, column 1: there is no function compute_reward; define def compute_reward(...): th
if 1:
    def compute_reward(pitch):
        return pitch, {'p': pitch}
