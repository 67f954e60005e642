# refused: line 3, column 20: the component's name 'рitch' is not an identifier; use letters, digits
def compute_reward(pitch):
    return pitch, {'\N{CYRILLIC SMALL LETTER ER}itch': pitch}
