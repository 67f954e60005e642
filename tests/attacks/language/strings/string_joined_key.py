# harmless: adjacent literals are one literal
def compute_reward(pitch):
    return pitch, {'p' 'q': pitch}
