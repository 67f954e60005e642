def compute_reward(forward_velocity, pitch):
    parts = {"run": xp.tanh(forward_velocity), "upright": xp.cos(pitch)}
    total = parts["run"] + 0.5 * parts["upright"]
    return (total, parts)
