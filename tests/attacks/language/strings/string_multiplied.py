# refused: line 3, column 20: a component's name is not a string literal; write {"name": value}
def compute_reward(pitch):
    return pitch, {'p' * 1000000000: pitch}
