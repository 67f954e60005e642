# refused: line 2, column 11: the comment declares the encoding 'utf-7'; delete it: text is UTF-8
# coding: utf-7
# +AAo-import os
def compute_reward(pitch):
    return pitch, {'p': pitch}
