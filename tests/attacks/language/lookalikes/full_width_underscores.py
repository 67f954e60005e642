# refused: line 3,
def compute_reward(pitch):
    p = pitch.＿＿class＿＿
    return pitch, {'p': pitch}
