# refused: line 2, column 25: the comment declares the encoding 'rot13'; delete it: text is UTF-8
# vim: set fileencoding=rot13 :
def compute_reward(pitch):
    return pitch, {'p': pitch}
