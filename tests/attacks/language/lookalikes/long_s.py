# refused: line 3, column 12: the name 'ſin' holds LATIN SMALL LETTER LONG S; spell names with a-z, 
def compute_reward(pitch):
    p = xp.ſin(pitch)
    return pitch, {'p': pitch}
