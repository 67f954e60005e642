# refused: line 3, column 5: global is not allowed; pass values as arguments and return them
def compute_reward(pitch):
    global xp
    xp = pitch
    return pitch, {'p': pitch}
