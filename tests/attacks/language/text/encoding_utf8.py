# harmless: text is UTF-8, as declared
# -*- coding: utf-8 -*-
def compute_reward(pitch):
    return pitch, {'p': pitch}
