# refused: line 3,
def compute_reward(pitch):
    return pitch, {“p”: pitch}
