# refused: line 3, column 5: the function 'tolerance' is defined inside another; define it at the to
def compute_reward(pitch):
    def tolerance(x):
        return x
    p = tolerance(pitch)
