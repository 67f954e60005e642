# refused: line 3, column 12: the name 'q' is unknown; available: forward_position, forward_velocity
def f():
    return q

def compute_reward(pitch):
    q = pitch
    p = f()
    return p, {'p': p}
