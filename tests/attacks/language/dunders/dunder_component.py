# refused: line 3, column 20: the component's name '__proto__' is not allowed; start it with a lette
def compute_reward(pitch):
    return pitch, {'__proto__': pitch}
