def compute_reward(joint_angles, forward_velocity):
    """A name that is another's alias keeps its value when the other one changes."""
    before = forward_velocity
    after = forward_velocity
    after += 100.0
    column = joint_angles[:, 0]
    column *= 0.0
    return after - before, {"before": before, "column": column, "hip": joint_angles[:, 0]}
