# line 4, column 36: tolerance's margin -0.693147 is negative; write a margin of 0 or more
# line 5, column 57: value_at_margin=1e-20 is out of range for the sigmoid 'tanh_squared'
def compute_reward(pitch):
    lean = tolerance(pitch, margin=1.0 * xp.log(0.5))
    fall = tolerance(pitch, margin=1.0, value_at_margin=1e-20, sigmoid="tanh_squared")
    return lean + fall, {"lean": lean}
