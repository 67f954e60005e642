# refused: line 3, column 19: comprehensions are not allowed; write the items out
def compute_reward(pitch):
    return pitch, {k: pitch for k in ('a', 'b')}
