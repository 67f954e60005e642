# refused: line 3, column 5: the name 'pitcḧ' holds LATIN SMALL LETTER H WITH DIAERESIS; spell names
def compute_reward(pitch):
    pitcḧ = pitch
    return pitch, {'p': pitch}
