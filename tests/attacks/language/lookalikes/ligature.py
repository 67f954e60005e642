# refused: line 3, column 5: the name 'ﬁrst' holds LATIN SMALL LIGATURE FI; spell names with a-z, A-
def compute_reward(pitch):
    ﬁrst = pitch
    return first, {'p': first}
