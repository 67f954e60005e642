# line 3, column 13: Python's 'abs' is not available; write xp.abs(x)
def compute_reward(pitch):
    lean = -abs(pitch)
    return lean, {"lean": lean}
