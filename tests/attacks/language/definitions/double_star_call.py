# refused: line 3, column 18: '**' before an argument is not allowed; write the arguments out
def compute_reward(pitch):
    p = xp.add(**{'a': pitch, 'b': pitch})
    return pitch, {'p': pitch}
