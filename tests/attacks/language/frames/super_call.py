# refused: line 3, column 9: the attribute '__init__' is not allowed; only xp.NAME is allowed
def compute_reward(pitch):
    p = super().__init__
    return pitch, {'p': pitch}
