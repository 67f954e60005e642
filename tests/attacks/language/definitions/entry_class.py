# refused: line 1, column 1: there is no function compute_reward; define def compute_reward(...): th
class compute_reward:
    def __new__(cls, pitch):
        return pitch, {'p': pitch}
