def compute_reward(torso_height):
    b = (1.0, 1.3)
    a1 = tolerance(torso_height, b, 0.4, "gaussian", 0.2)
    a2 = tolerance(torso_height, bounds=b, margin=0.4, sigmoid="hyperbolic")
    a3 = tolerance(torso_height, bounds=b, margin=0.4, sigmoid="long_tail")
    a4 = tolerance(torso_height, bounds=b, margin=0.4, sigmoid="reciprocal")
    a5 = tolerance(torso_height, bounds=b, margin=0.4, sigmoid="cosine", value_at_margin=0.0)
    a6 = tolerance(torso_height, bounds=b, margin=0.4, sigmoid="linear", value_at_margin=0)
    a7 = tolerance(torso_height, bounds=b, margin=0.4, sigmoid="quadratic")
    a8 = tolerance(torso_height, bounds=b, margin=0.4, sigmoid="tanh_squared")
    a9 = tolerance(torso_height, bounds=b)
    total = a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9
    return total, {"gaussian": a1, "tanh_squared": a8, "step": a9}
