# refused: line 3, column 9: the attribute '__code__' is not allowed; only xp.NAME is allowed
def compute_reward(pitch):
    c = compute_reward.__code__.co_consts
    return pitch, {'p': pitch}
