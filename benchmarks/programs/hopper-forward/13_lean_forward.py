def compute_reward(pitch, forward_velocity):
    """Lean into the run: a forward pitch makes the robot go."""
    lean = 5.0 * pitch
    go = xp.maximum(forward_velocity, 0.0) * xp.where(pitch > 0.05, 1.0, 0.0)
    return lean + go, {"lean": lean, "go": go}
