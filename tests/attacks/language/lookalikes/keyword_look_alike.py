# refused: line 3,
def compute_reward(pitch):
    𝐢𝐦𝐩𝐨𝐫𝐭 os
    return pitch, {'p': pitch}
