# refused: line 2, column 1: imports are not allowed; delete it: xp and the helpers are there
from __future__ import annotations
def compute_reward(pitch):
    return pitch, {'p': pitch}
