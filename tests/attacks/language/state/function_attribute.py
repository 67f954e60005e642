# refused: line 3, column 5: attributes cannot be assigned; assign to a plain name
def compute_reward(pitch):
    compute_reward.calls = 1
    return pitch, {'p': pitch}
