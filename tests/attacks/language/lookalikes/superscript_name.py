# refused: line 3, column 5: the name 'pⁿ' holds SUPERSCRIPT LATIN SMALL LETTER N; spell names with 
def compute_reward(pitch):
    pⁿ = pitch
    return pitch, {'p': pitch}
