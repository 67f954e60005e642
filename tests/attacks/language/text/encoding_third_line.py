# harmless: only the first two lines can declare an encoding
# A reward.
#
# coding: utf-7
def compute_reward(pitch):
    return pitch, {'p': pitch}
