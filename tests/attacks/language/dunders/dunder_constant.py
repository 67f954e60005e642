# refused: line 2, column 1: the constant '__builtins__' is not in upper case; write BUILTINS__, or 
__builtins__ = 1.0
def compute_reward(pitch):
    return pitch, {'p': pitch}
