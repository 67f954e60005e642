# refused: line 2, column 1: imports are not allowed; delete it: xp and the helpers are there
from . import program
def compute_reward(pitch):
    return pitch, {'p': pitch}
