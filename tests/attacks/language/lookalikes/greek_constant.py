# refused: line 2, column 1: the constant 'Α' is not in upper case; write Α, or move it into compute
Α = 1.0
A = 2.0

def compute_reward(pitch):
    p = pitch * Α
    return p, {'p': p}
