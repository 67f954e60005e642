# refused: line 2, column 20: the name 'рitch' holds CYRILLIC SMALL LETTER ER; spell names with a-z,
def compute_reward(рitch):
    return рitch, {'p': рitch}
