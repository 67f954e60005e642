# harmless: a comment
def compute_reward(pitch):
    p = pitch  # type: __import__('os').system('id')
    return pitch, {'p': pitch}
